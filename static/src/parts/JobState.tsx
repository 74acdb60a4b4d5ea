import type { Job } from '../api/wire'
import { standing, type JobStanding } from '../format/health'
import { isActive } from '../format/run'
import { useNow } from '../format/now'
import { RunState } from './RunState'
import { State, type AnyState } from './State'

const SHAPE: Record<JobStanding, AnyState> = {
  'in step': 'succeeded',
  running: 'running',
  queued: 'queued',
  retrying: 'queued',
  failed: 'failed',
  held: 'held',
  late: 'missed',
  off: 'cancelled',
  new: 'pending',
  cancelled: 'cancelled',
}

/** How a job stands, as a pill. */
export function JobState({ job }: { job: Job }) {
  const now = useNow()
  const stands = standing(job, now)
  if (job.last_run && isActive(job.last_run)) return <RunState run={job.last_run} />
  return <State state={SHAPE[stands]}>{stands === 'new' ? 'not yet run' : stands}</State>
}
