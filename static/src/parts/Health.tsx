import type { Standing, Status, Summary } from '../api/wire'
import { healthSentence, type Leader } from '../format/health'
import { useNow } from '../format/now'
import { plural } from '../format/number'
import { firstLine } from '../format/run'
import { STANDING_SHAPES } from './JobState'
import { useLastError } from './Loaded'
import { StateGlyph, TONES, type AnyState } from './State'

interface HealthProps {
  summary: Summary | undefined
  status: Status | undefined
  leader: Leader | undefined
  error: Error | null
}

/** One sentence that says whether all is well. */
export function Health({ summary, status, leader, error }: HealthProps) {
  const now = useNow()
  const failed = useLastError(error)
  const known = summary && status && leader
  const shape: AnyState = known ? shapeOf(summary, leader) : failed ? 'failed' : 'pending'
  const sentence = known ? healthSentence(summary, leader, now) : failed ? firstLine(failed.message) : 'Looking…'
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

const GRAVE: Standing[] = ['held', 'failed', 'late', 'retrying']

function shapeOf({ jobs, standings }: Summary, leader: Leader): AnyState {
  if (leader.none) return 'missed'
  const gravest = GRAVE.find((one) => (standings[one] ?? 0) > 0)
  if (gravest) return STANDING_SHAPES[gravest]
  return jobs === (standings.new ?? 0) ? 'pending' : 'succeeded'
}

function queueWords({ queue, version }: Status): string {
  const running = queue.running ?? 0
  const queued = queue.queued ?? 0
  return `${running === 0 ? 'Nothing' : plural(running, 'run')} running, ${queued === 0 ? 'none' : queued} queued · syncworker ${version}`
}
