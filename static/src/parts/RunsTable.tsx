import { Link } from 'wouter'
import type { Run } from '../api/wire'
import { useNow } from '../format/now'
import { count } from '../format/number'
import { firstLine, timeTaken, totals, triggerWords } from '../format/run'
import { duration } from '../format/time'
import { RunState } from './RunState'
import { Time } from './Time'

/** Runs, newest first. `job` names each run's job; without it they are all of one. */
export function RunsTable({ runs, job = true, label }: { runs: Run[]; job?: boolean; label: string }) {
  return (
    <table aria-label={label}>
      <thead>
        <tr>
          <th scope="col">{job ? 'Job and run' : 'Run'}</th>
          <th scope="col">State</th>
          <th scope="col" className="number mid">
            Rows written
          </th>
          <th scope="col" className="number wide">
            Took
          </th>
          <th scope="col" className="wide">
            Started
          </th>
          <th scope="col" className="number">
            When
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow key={run.id} run={run} job={job} />
        ))}
      </tbody>
    </table>
  )
}

function RunRow({ run, job }: { run: Run; job: boolean }) {
  const now = useNow()
  const took = timeTaken(run, now)
  const rows = count(totals(run.progress).written)
  const why = run.error ? firstLine(run.error.message) : run.reason
  return (
    <tr>
      <th scope="row">
        <Link href={`/runs/${run.id}`} className="primary">
          {job && `${run.job_id} `}
          <span className={job ? 'muted' : undefined}>#{run.sequence}</span>
        </Link>
        <span className="under narrow">
          {rows} rows{took === null ? '' : ` · ${duration(took / 1000)}`}
        </span>
        {why && <span className={run.error ? 'under bad' : 'under'}>{why}</span>}
      </th>
      <td>
        <RunState run={run} />
      </td>
      <td className="number mid">{run.started_at ? rows : <span className="muted">–</span>}</td>
      <td className="number wide">{took === null ? <span className="muted">–</span> : duration(took / 1000)}</td>
      <td className="wide muted">
        {triggerWords(run.trigger)}
        {run.attempt > 1 && `, attempt ${run.attempt}`}
      </td>
      <td className="number">
        <Time at={run.finished_at ?? run.started_at ?? run.queued_at} />
      </td>
    </tr>
  )
}
