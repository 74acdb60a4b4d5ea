import type { Job, Status } from '../api/wire'
import { healthSentence, needs, standing, type Leader } from '../format/health'
import { useNow } from '../format/now'
import { plural } from '../format/number'
import { StateGlyph, TONES, type AnyState } from './State'

interface HealthProps {
  jobs: Job[] | undefined
  status: Status | undefined
  leader: Leader | undefined
  failed: Error | null
}

/** One sentence that says whether all is well. */
export function Health({ jobs, status, leader, failed }: HealthProps) {
  const now = useNow()
  const known = jobs && status && leader
  const shape: AnyState = known ? shapeOf(jobs, leader, now) : failed ? 'failed' : 'pending'
  const sentence = known ? healthSentence(jobs, leader, now) : failed ? 'The server does not answer.' : 'Looking…'
  return (
    <div className={`health ${TONES[shape]}`}>
      <span className="glyph">
        <StateGlyph state={shape} size={22} />
      </span>
      <div>
        <h1>{sentence}</h1>
        <p className="muted small">{known ? queueWords(status) : failed ? 'Trying again…' : '\u00a0'}</p>
      </div>
    </div>
  )
}

function shapeOf(jobs: Job[], leader: Leader, now: number): AnyState {
  if (leader.none) return 'missed'
  const gravest = needs(jobs, now)[0]?.why
  if (gravest === undefined) {
    if (jobs.some((job) => standing(job, now) === 'retrying')) return 'queued'
    return jobs.every((job) => standing(job, now) === 'new') ? 'pending' : 'succeeded'
  }
  return gravest === 'late' ? 'missed' : gravest
}

function queueWords({ queue, version }: Status): string {
  const running = queue.running ?? 0
  const queued = queue.queued ?? 0
  return `${running === 0 ? 'Nothing' : plural(running, 'run')} running, ${queued === 0 ? 'none' : queued} queued · syncworker ${version}`
}
