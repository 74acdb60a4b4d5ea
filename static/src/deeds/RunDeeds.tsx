import { Link } from 'wouter'
import { useRunDeed } from '../api/queries'
import { useRights } from '../api/session'
import type { Run, RunBrief } from '../api/wire'
import { count, plural } from '../format/number'
import { canRetry, isActive, removalOf, removals } from '../format/run'
import { Act, Said } from '../parts/Act'
import { Confirm } from '../parts/Confirm'

/** Cancel, retry, approve, discard: whichever of them a run's state allows. */
export function RunDeeds({ run, little = false }: { run: Run | RunBrief; little?: boolean }) {
  const cancel = useRunDeed(run.id, 'cancel')
  const retry = useRunDeed(run.id, 'retry')
  const approve = useRunDeed(run.id, 'approve')
  const discard = useRunDeed(run.id, 'discard')
  const name = `run #${run.sequence} of ${run.job_id}`
  const removal = removalOf(run)
  const removes = removal === null ? 'rows' : `${count(removal)} rows`
  const { operate } = useRights()
  if (!operate) return null
  return (
    <div className="actions">
      {isActive(run) && (
        <Act
          deed={cancel}
          label={run.cancel ? 'Cancelling…' : 'Cancel'}
          busy="Asking…"
          icon="stop"
          look="danger"
          little={little}
          of={name}
          disabled={run.cancel !== null}
        />
      )}
      {canRetry(run) && <Act deed={retry} label="Retry" busy="Asking…" icon="again" little={little} of={name} />}
      {run.state === 'held' && (
        <>
          <Confirm deed={discard} label="Discard" busy="Discarding…" little={little} of={name}>
            Discard {name}? Its removals of {removes} are not made, and it ends as cancelled.
          </Confirm>
          <Confirm deed={approve} label="Approve" busy="Approving…" look="first" little={little} of={name}>
            <p>
              Approve {name}? It runs again and may remove up to {removes}.
            </p>
            <ul>
              {removals(run).map(({ stream, removes: rows }) => (
                <li key={stream}>
                  {stream}: {plural(rows, 'row')}
                </li>
              ))}
            </ul>
          </Confirm>
        </>
      )}
      <Said deeds={[cancel, retry, approve, discard]}>
        {retry.data && (
          <>
            <Link href={`/runs/${retry.data.id}`}>Run #{retry.data.sequence}</Link> is queued and goes on from the checkpoint.
          </>
        )}
      </Said>
    </div>
  )
}
