import '../styles/forms.css'
import { Link } from 'wouter'
import type { RunBrief } from '../api/wire'
import { count, plural } from '../format/number'
import { duration, exact } from '../format/time'
import { TONES } from './State'

export interface ChartRun {
  id: string
  sequence: number
  state: RunBrief['state']
  at: string
  seconds: number | null
  written: number
}

const HEIGHT = 56

interface RunChartsProps {
  /** The oldest first. */
  runs: ChartRun[]
}

/** How long the last runs took, and how many rows they wrote: one bar a run, which is a link to it. */
export function RunCharts({ runs }: RunChartsProps) {
  const begun = runs.filter(({ seconds }) => seconds !== null)
  if (begun.length === 0) return null
  return (
    <div className="run-charts">
      <Chart title="Duration" runs={begun} valueOf={({ seconds }) => seconds ?? 0} words={duration} />
      <Chart title="Rows written" runs={begun} valueOf={({ written }) => written} words={count} />
    </div>
  )
}

interface ChartProps {
  title: string
  runs: ChartRun[]
  valueOf: (run: ChartRun) => number
  words: (value: number) => string
}

function Chart({ title, runs, valueOf, words }: ChartProps) {
  const values = runs.map(valueOf)
  const highest = Math.max(...values)
  const middle = median(values)
  return (
    <figure className="run-chart">
      <figcaption>
        <span>{title}</span>
        <span className="muted small">
          median {words(middle)}, most {words(highest)}
        </span>
      </figcaption>
      <ol aria-label={`${title} of the last ${plural(runs.length, 'run')}`}>
        {runs.map((run) => {
          const value = valueOf(run)
          const said = `Run ${run.sequence}, ${run.state}: ${words(value)}, ${exact(run.at)}`
          return (
            <li key={run.id}>
              <Link href={`/runs/${run.id}`} className={TONES[run.state]} aria-label={said} title={said}>
                <span style={{ blockSize: `${highest === 0 ? 2 : Math.max(2, (value / highest) * HEIGHT)}px` }} />
              </Link>
            </li>
          )
        })}
      </ol>
    </figure>
  )
}

export function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const half = sorted.length / 2
  if (sorted.length === 0) return 0
  return sorted.length % 2 === 1 ? (sorted[Math.floor(half)] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2
}
