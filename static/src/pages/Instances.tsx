import { Link } from 'wouter'
import { useInstances, useStatus } from '../api/queries'
import type { Lease } from '../api/wire'
import { DrainDeed } from '../deeds/DrainDeed'
import { useNow } from '../format/now'
import { duration } from '../format/time'
import { Blank } from '../parts/Blank'
import { Facts } from '../parts/Facts'
import { Head } from '../parts/Head'
import { InstancesContext, InstanceName } from '../parts/InstanceName'
import { InstancesTable } from '../parts/Instances'
import { Loaded } from '../parts/Loaded'
import { Panel } from '../parts/Panel'
import { TermsTable } from '../parts/Terms'
import { BothTimes, Time } from '../parts/Time'
import '../styles/run.css'

/** `/instances`: the running copies, which of them leads, and who led before. */
export function Instances() {
  const status = useStatus()
  const instances = useInstances()
  const lease = status.data?.lease ?? null
  return (
    <InstancesContext value={instances.data ?? null}>
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
              <InstancesTable
                instances={items}
                lease={lease}
                here={status.data?.instance ?? null}
                running={status.data?.running ?? []}
                actions={(instance) => (
                  <DrainDeed
                    instance={instance}
                    leads={lease?.live === true && lease.instance === instance.id}
                    others={items.filter((one) => one.id !== instance.id && one.live && !one.draining && one.slots > 0).length}
                  />
                )}
              />
            )
          }
        </Loaded>
        <details className="panel-foot drain">
          <summary>What draining means</summary>
          <p>
            A drained instance takes no new runs and does not lead; what it works on goes on to its end, and others take the rest. Then
            it can be stopped without interrupting anything. It stays up, answers and shows this page, until it is stopped or taken back
            into service. Stopping one that was not drained is safe too: its runs go on elsewhere from their checkpoints.
          </p>
        </details>
      </Panel>
      <Panel title="The lease" note="who may schedule">
        <div className="panel-body">{lease ? <LeaseFacts lease={lease} /> : <p className="muted">Nobody has led yet.</p>}</div>
      </Panel>
      <Panel title="Terms" note="who led, newest first">
        <Loaded asked={instances} lines={4}>
          {({ terms }) => (terms.length === 0 ? <Blank icon="instances" title="Nobody has led yet" /> : <TermsTable terms={terms} />)}
        </Loaded>
      </Panel>
      <p className="muted small">
        Runs carry the token of the claim under which they write. See <Link href="/runs?state=running">what runs now</Link>.
      </p>
    </InstancesContext>
  )
}

function LeaseFacts({ lease }: { lease: Lease }) {
  const now = useNow()
  const held = lease.holder !== null && lease.live
  const ttl = lease.renewed_at && lease.expires_at ? Date.parse(lease.expires_at) - Date.parse(lease.renewed_at) : null
  return (
    <Facts
      entries={[
        ['Held by', held && lease.instance ? <InstanceName key="by" id={lease.instance} /> : <strong key="by">nobody: no schedule fires</strong>],
        ['Token', lease.token],
        ['Since', held ? <BothTimes key="since" at={lease.acquired_at} /> : null],
        ['For', held && lease.acquired_at ? duration(Math.max(0, now - Date.parse(lease.acquired_at)) / 1000) : null],
        ['Renewed', lease.renewed_at && <Time key="renewed" at={lease.renewed_at} />],
        ['Runs out', held ? <span key="out"><Time at={lease.expires_at} /> unless renewed</span> : null],
        ['Lasts', held && ttl !== null && ttl > 0 ? `${duration(ttl / 1000)} from each renewal` : null],
      ]}
    />
  )
}
