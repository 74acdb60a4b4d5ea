import { Link } from 'wouter'
import type { Run } from '../api/wire'
import { useNow } from '../format/now'
import { count } from '../format/number'
import { firstLine, timeTaken, totals, triggerWords } from '../format/run'
import { duration } from '../format/time'
import { RunState } from './RunState'
import { TONES } from './State'
import { Time } from './Time'

export interface Choosing {
  chosen: readonly string[]
  onChoose: (id: string, on: boolean, range: boolean) => void
  onChooseAll: (on: boolean) => void
}

interface RunsTableProps {
  runs: Run[]
  /** Names each run's job; without it they are all of one. */
  job?: boolean
  label: string
  choosing?: Choosing | null
}

/** Runs, newest first. */
export function RunsTable({ runs, job = true, label, choosing = null }: RunsTableProps) {
  const now = useNow()
  const longest = Math.max(1, ...runs.map((run) => timeTaken(run, now) ?? 0))
  return (
    <table aria-label={label}>
      <thead>
        <tr>
          {choosing && (
            <th scope="col" className="pick">
              <PickAll all={runs.length} {...choosing} />
            </th>
          )}
          <th scope="col">{job ? 'Job and run' : 'Run'}</th>
          <th scope="col">State</th>
          <th scope="col" className="number mid">
            Rows written
          </th>
          <th scope="col" className="number mid">
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
          <RunRow key={run.id} run={run} job={job} longest={longest} choosing={choosing} />
        ))}
      </tbody>
    </table>
  )
}

function PickAll({ chosen, all, onChooseAll }: Choosing & { all: number }) {
  return (
    <input
      type="checkbox"
      aria-label="Select all runs of this page"
      ref={(box) => {
        if (box) box.indeterminate = chosen.length > 0 && chosen.length < all
      }}
      checked={chosen.length > 0 && chosen.length === all}
      onChange={(event) => onChooseAll(event.target.checked)}
    />
  )
}

interface RunRowProps {
  run: Run
  job: boolean
  longest: number
  choosing: Choosing | null
}

function RunRow({ run, job, longest, choosing }: RunRowProps) {
  const now = useNow()
  const took = timeTaken(run, now)
  const rows = count(totals(run.progress).written)
  const why = run.error ? firstLine(run.error.message) : run.reason
  const picked = choosing?.chosen.includes(run.id) ?? false
  return (
    <tr data-row aria-selected={choosing ? picked : undefined}>
      {choosing && (
        <td className="pick">
          <input
            type="checkbox"
            data-pick
            aria-label={`Select run #${run.sequence} of ${run.job_id}`}
            checked={picked}
            onChange={() => undefined}
            onClick={(event) => choosing.onChoose(run.id, event.currentTarget.checked, event.shiftKey)}
          />
        </td>
      )}
      <th scope="row">
        <Link href={`/runs/${run.id}`} className="primary" data-open>
          {job && `${run.job_id} `}
          <span className={job ? 'muted' : undefined}>#{run.sequence}</span>
        </Link>
        <span className="under narrow">
          {rows} rows{took === null ? '' : ` · ${duration(took / 1000)}`}
        </span>
        {why && <span className={run.error ? 'under bad clamped' : 'under clamped'}>{why}</span>}
      </th>
      <td>
        <RunState run={run} />
      </td>
      <td className="number mid">{run.started_at ? rows : <span className="muted">–</span>}</td>
      <td className="number mid">
        {took === null ? (
          <span className="muted">–</span>
        ) : (
          <span className={`took ${TONES[run.state]}`}>
            <span>{duration(took / 1000)}</span>
            <span aria-hidden="true" style={{ '--share': Math.max(0.01, took / longest) }} />
          </span>
        )}
      </td>
      <td className="wide muted">
        <span className="nowrap">{triggerWords(run.trigger)}</span>
        {run.attempt > 1 && `, attempt ${run.attempt}`}
      </td>
      <td className="number">
        <Time at={run.finished_at ?? run.started_at ?? run.queued_at} />
      </td>
    </tr>
  )
}
