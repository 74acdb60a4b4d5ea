import type { Job, Standing } from '../api/wire'
import { STANDING_WORDS } from '../format/health'
import { isActive } from '../format/run'
import { RunState } from './RunState'
import { State, type AnyState } from './State'

/** The shape and colour of each way to stand. */
export const STANDING_SHAPES: Record<Standing, AnyState> = {
  in_step: 'succeeded',
  running: 'running',
  queued: 'queued',
  retrying: 'queued',
  failed: 'failed',
  held: 'held',
  late: 'missed',
  paused: 'cancelled',
  new: 'pending',
  cancelled: 'cancelled',
}

/** How a job stands, as a pill. */
export function JobState({ job }: { job: Job }) {
  if (job.last_run && isActive(job.last_run)) return <RunState run={job.last_run} />
  return <State state={STANDING_SHAPES[job.standing]}>{STANDING_WORDS[job.standing]}</State>
}
