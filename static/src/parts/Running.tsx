import { Link } from 'wouter'
import type { Run } from '../api/wire'
import { useNow } from '../format/now'
import { count } from '../format/number'
import { timeTaken, totals } from '../format/run'
import { duration } from '../format/time'
import { StateGlyph } from './State'

/** What runs now, in a line each. */
export function Running({ runs, most }: { runs: Run[]; most: number }) {
  const now = useNow()
  if (runs.length === 0) return <p className="panel-body muted">Nothing, for now.</p>
  return (
    <>
      <ul className="running">
        {runs.slice(0, most).map((run) => (
          <li key={run.id} className="busy">
            <StateGlyph state="running" />
            <Link href={`/runs/${run.id}`} className="primary">
              {run.job_id} <span className="muted">#{run.sequence}</span>
            </Link>
            <span className="muted">
              {count(totals(run.progress).written)} rows · {duration((timeTaken(run, now) ?? 0) / 1000)}
            </span>
          </li>
        ))}
      </ul>
      {runs.length > most && (
        <p className="panel-foot">
          <Link href="/runs?state=running">All {count(runs.length)} that run now</Link>
        </p>
      )}
    </>
  )
}
