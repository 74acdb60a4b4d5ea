import { memo } from 'react'
import type { RunMark } from '../api/wire'
import { useNow } from '../format/now'
import { plural } from '../format/number'
import { duration, exact } from '../format/time'
import { TONES } from './State'

const SHOWN = 20
const TALLEST = 17
const LOWEST = 3
const NEVER_BEGAN = 2

/** The last runs, oldest first: height is duration, above the line is well, below it is failed. */
export function Bars({ runs }: { runs: RunMark[] }) {
  return runs.some(({ state }) => state === 'running') ? <Growing runs={runs} /> : <Drawn runs={runs} now={0} />
}

function Growing({ runs }: { runs: RunMark[] }) {
  return <Drawn runs={runs} now={useNow()} />
}

/** Where none is running nothing moves with the clock: a page of a thousand bars is not drawn anew each second. */
const Drawn = memo(function Drawn({ runs, now }: { runs: RunMark[]; now: number }) {
  const shown = runs.slice(0, SHOWN).reverse()
  const times = shown.map((run) => secondsOf(run, now))
  const longest = Math.max(0.001, ...times.map((time) => time ?? 0))
  const places = Math.max(0, SHOWN - shown.length)
  const height = (time: number | null) => (time === null ? NEVER_BEGAN : LOWEST + (time / longest) * (TALLEST - LOWEST))
  return (
    <span className="bars" role="img" aria-label={summary(shown)}>
      {Array.from({ length: places }, (_, place) => (
        <span key={`none-${place}`} className="none" />
      ))}
      {shown.map((run, index) => (
        <span
          key={run.id}
          className={TONES[run.state]}
          title={words(run, times[index] ?? null)}
          style={{ '--size': `${height(times[index] ?? null)}px` }}
        />
      ))}
    </span>
  )
})

/** What it took, or takes until now; null where it never began. */
function secondsOf(run: RunMark, now: number): number | null {
  return run.state === 'running' ? Math.max(0, now - Date.parse(run.at)) / 1000 : run.seconds
}

function words(run: RunMark, seconds: number | null): string {
  const took = seconds === null ? '' : ` in ${duration(seconds)}, ${plural(run.written, 'row')}`
  return `${run.state}${took}\n${exact(run.at)}`
}

function summary(runs: RunMark[]): string {
  if (runs.length === 0) return 'No runs yet'
  const tally = new Map<string, number>()
  for (const run of runs) tally.set(run.state, (tally.get(run.state) ?? 0) + 1)
  return `Last ${plural(runs.length, 'run')}: ${[...tally].map(([state, amount]) => `${amount} ${state}`).join(', ')}`
}
