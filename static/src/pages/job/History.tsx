import { useAddress } from '../../address'
import { useAudit } from '../../api/access'
import type { Job } from '../../api/wire'
import { AuditTable } from '../../parts/Audit'
import { Blank } from '../../parts/Blank'
import { Loaded } from '../../parts/Loaded'
import { Paging } from '../../parts/Paging'
import { Panel } from '../../parts/Panel'

const LIMIT = 25

/** Who changed the job, when, and from what to what. */
export function History({ job }: { job: Job }) {
  const [query] = useAddress()
  const after = query.get('after')
  const audit = useAudit({ subject: `jobs/${job.id}`, after, limit: LIMIT })
  return (
    <Panel title="History" note="who changed it, newest first">
      <Loaded asked={audit} lines={6}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Blank icon="runs" title={after ? 'Nothing older' : 'Nobody changed it yet'}>
              <p>Every change of this job, and everything that people ask of it, is recorded here with who did it.</p>
            </Blank>
          ) : (
            <>
              <AuditTable records={items} subject={false} />
              <Paging next={next} size={LIMIT} label="Pages of records" />
            </>
          )
        }
      </Loaded>
    </Panel>
  )
}
