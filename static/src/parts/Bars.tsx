import type { Run } from '../api/wire'
import { useNow } from '../format/now'
import { plural } from '../format/number'
import { timeTaken } from '../format/run'
import { duration } from '../format/time'
import { TONES } from './State'

const SHOWN = 20
const TALLEST = 17
const LOWEST = 3

/** The last runs, oldest first: height is duration, above the line is well, below it is failed. */
export function Bars({ runs }: { runs: Run[] }) {
  const now = useNow()
  const shown = runs.slice(0, SHOWN).reverse()
  const times = shown.map((run) => timeTaken(run, now) ?? 0)
  const longest = Math.max(1, ...times)
  const places = Math.max(0, SHOWN - shown.length)
  return (
    <span className="bars" role="img" aria-label={summary(shown)}>
      {Array.from({ length: places }, (_, place) => (
        <span key={`none-${place}`} className="none" />
      ))}
      {shown.map((run, index) => (
        <span
          key={run.id}
          className={TONES[run.state]}
          title={`Run ${run.sequence}: ${run.state}${run.started_at ? `, ${duration((times[index] ?? 0) / 1000)}` : ''}`}
          style={{ '--size': run.started_at ? `${LOWEST + ((times[index] ?? 0) / longest) * (TALLEST - LOWEST)}px` : '2px' }}
        />
      ))}
    </span>
  )
}

function summary(runs: Run[]): string {
  if (runs.length === 0) return 'No runs yet'
  const tally = new Map<string, number>()
  for (const run of runs) tally.set(run.state, (tally.get(run.state) ?? 0) + 1)
  return `Last ${plural(runs.length, 'run')}: ${[...tally].map(([state, amount]) => `${amount} ${state}`).join(', ')}`
}
