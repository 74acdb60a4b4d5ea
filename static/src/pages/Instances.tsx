import { Link } from 'wouter'
import { useInstances, useStatus } from '../api/queries'
import { Blank } from '../parts/Blank'
import { Head } from '../parts/Head'
import { InstancesTable, TermsTable } from '../parts/Instances'
import { Loaded } from '../parts/Loaded'
import { Panel } from '../parts/Panel'

/** `/instances`: the running copies, which of them leads, and who led before. */
export function Instances() {
  const status = useStatus()
  const instances = useInstances()
  return (
    <>
      <Head title="Instances" under="Running copies that share this database. One of them leads: it turns fire times into runs." />
      <Panel title="Running copies" note={instances.data?.items.length}>
        <Loaded asked={instances} lines={3}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank icon="instances" title="No worker runs">
                <p>
                  Nothing is scheduled and nothing runs until one does: start <code>syncworker worker</code>.
                </p>
              </Blank>
            ) : (
              <InstancesTable instances={items} lease={status.data?.lease ?? null} here={status.data?.instance ?? null} />
            )
          }
        </Loaded>
      </Panel>
      <Panel title="Terms" note="who led, newest first">
        <Loaded asked={instances} lines={4}>
          {({ terms }) =>
            terms.length === 0 ? (
              <Blank icon="instances" title="Nobody has led yet" />
            ) : (
              <TermsTable terms={terms} />
            )
          }
        </Loaded>
      </Panel>
      <p className="muted small">
        Runs carry the token of the claim under which they write. See them in <Link href="/runs?state=running">what runs now</Link>.
      </p>
    </>
  )
}
