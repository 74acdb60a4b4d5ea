import { Link } from 'wouter'
import { useJobDeed } from '../api/queries'
import { useRights } from '../api/session'
import type { Job, Run } from '../api/wire'
import { isActive } from '../format/run'
import { Act, Said } from '../parts/Act'

/** Run now, pause, resume: the buttons of a job, in its row and on its page; none for who may only look. */
export function JobDeeds({ job, prominent = false }: { job: Job; prominent?: boolean }) {
  const { operate } = useRights()
  const run = useJobDeed<Run>(job.id, 'run')
  const enable = useJobDeed(job.id, 'enable')
  const disable = useJobDeed(job.id, 'disable')
  const last = job.last_run
  const occupied = last !== null && (isActive(last) || last.state === 'held')
  if (!operate) return null
  return (
    <div className="actions">
      <span data-run>
        <Act
          deed={run}
          label={prominent ? 'Run now' : 'Run'}
          busy="Asking…"
          icon="play"
          look={prominent ? 'first' : 'plain'}
          little={!prominent}
          of={job.id}
          disabled={occupied}
        />
      </span>
      {job.enabled ? (
        <Act deed={disable} label="Pause" busy="Pausing…" icon="pause" little={!prominent} of={job.id} />
      ) : (
        <Act deed={enable} label="Resume" busy="Resuming…" icon="resume" little={!prominent} of={job.id} />
      )}
      <Said deeds={[run, enable, disable]}>
        {run.data && (
          <>
            <Link href={`/runs/${run.data.id}`}>Run #{run.data.sequence}</Link>
            {prominent && ' is queued.'}
          </>
        )}
      </Said>
    </div>
  )
}
