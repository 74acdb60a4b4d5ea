import { Link } from 'wouter'
import { useJobDeed } from '../api/queries'
import type { Job, Run } from '../api/wire'
import { isActive } from '../format/run'
import { Act, Said } from '../parts/Act'
import { Switch } from '../parts/Switch'

/** Run now, enable, disable: the buttons of a job, in its row and on its page. */
export function JobDeeds({ job, prominent = false }: { job: Job; prominent?: boolean }) {
  const run = useJobDeed<Run>(job.id, 'run')
  const enable = useJobDeed(job.id, 'enable')
  const disable = useJobDeed(job.id, 'disable')
  const change = job.enabled ? disable : enable
  const last = job.last_run
  const occupied = last !== null && (isActive(last) || last.state === 'held')
  return (
    <div className="actions">
      <Act
        deed={run}
        label="Run now"
        busy="Asking…"
        icon="play"
        look={prominent ? 'first' : 'plain'}
        little={!prominent}
        of={job.id}
        disabled={occupied}
      />
      <span className="switched">
        <Switch on={job.enabled} label={`${job.id} runs by its schedule`} deed={change} />
        {prominent && (job.enabled ? 'Enabled' : 'Disabled')}
      </span>
      <Said deeds={[run, change]}>
        {prominent && run.data && (
          <>
            <Link href={`/runs/${run.data.id}`}>Run #{run.data.sequence}</Link> is queued.
          </>
        )}
      </Said>
    </div>
  )
}
