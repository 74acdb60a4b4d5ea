import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Job } from '../api/wire'
import { useNow } from '../format/now'
import { count, plural } from '../format/number'
import { isActive, timeTaken } from '../format/run'
import { duration } from '../format/time'
import { Bars } from './Bars'
import { JobState } from './JobState'
import { Owner } from './Owner'
import { Time } from './Time'
import { When } from './When'

interface JobsTableProps {
  jobs: Job[]
  chosen: readonly string[]
  /** Null where nothing can be done with what is chosen. */
  onChoose: ((id: string, on: boolean, range: boolean) => void) | null
  onChooseAll: (on: boolean) => void
  /** The buttons of a row. */
  actions: (job: Job) => ReactNode
}

/** A row a job; a card where there is no room for one. The roles say again what it is, for the cards are no table. */
export function JobsTable({ jobs, chosen, onChoose, onChooseAll, actions }: JobsTableProps) {
  return (
    <table className="jobs" role="table" aria-label="Jobs">
      <thead role="rowgroup">
        <tr role="row">
          {onChoose && (
            <th scope="col" role="columnheader" className="pick">
              <PickAll chosen={chosen.length} all={jobs.length} onChoose={onChooseAll} />
            </th>
          )}
          <Column>Job</Column>
          <Column>State</Column>
          <Column>Last runs</Column>
          <Column className="wide">Last run</Column>
          <Column>Next run</Column>
          <Column className="mid">Data of</Column>
          <Column className="number wide">Rows a day</Column>
          <Column>
            <span className="hidden">Actions</span>
          </Column>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {jobs.map((job) => (
          <tr key={job.id} role="row" data-row aria-selected={onChoose ? chosen.includes(job.id) : undefined}>
            {onChoose && (
              <td role="cell" className="pick">
                <input
                  type="checkbox"
                  data-pick
                  aria-label={`Select ${job.id}`}
                  checked={chosen.includes(job.id)}
                  onChange={() => undefined}
                  onClick={(event) => onChoose(job.id, event.currentTarget.checked, event.shiftKey)}
                />
              </td>
            )}
            <JobCells job={job} />
            <td role="cell" className="deeds">
              {actions(job)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Column({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <th scope="col" role="columnheader" className={className}>
      {children}
    </th>
  )
}

function PickAll({ chosen, all, onChoose }: { chosen: number; all: number; onChoose: (on: boolean) => void }) {
  const some = chosen > 0 && chosen < all
  return (
    <input
      type="checkbox"
      aria-label={`Select all ${count(all)} on this page`}
      ref={(box) => {
        if (box) box.indeterminate = some
      }}
      checked={chosen > 0 && chosen === all}
      onChange={(event) => onChoose(event.currentTarget.checked)}
    />
  )
}

function JobCells({ job }: { job: Job }) {
  return (
    <>
      <th scope="row" role="rowheader">
        <Link href={`/jobs/${job.id}`} className="primary" data-open>
          {job.id}
        </Link>{' '}
        <Owner of={job.owner} />
        <span className="under">
          {job.source} → {job.destination} · {plural(job.streams.length, 'stream')} · {job.words}
        </span>
      </th>
      <td role="cell">
        <JobState job={job} />
      </td>
      <td role="cell" className="history">
        <Link href={`/runs?job=${job.id}`}>
          <Bars runs={job.recent_runs} />
        </Link>
      </td>
      <td role="cell" className="wide" data-label="Last run">
        <LastRun job={job} />
      </td>
      <td role="cell" data-label="Next run">
        <NextRun job={job} />
      </td>
      <td role="cell" className="mid" data-label="Data of">
        <Time at={job.data_as_of} />
      </td>
      <td role="cell" className="number wide" data-label="Rows a day">
        {job.rows_per_day === null ? <span className="muted">–</span> : count(job.rows_per_day)}
      </td>
    </>
  )
}

function LastRun({ job }: { job: Job }) {
  const now = useNow()
  const run = job.last_run
  if (!run) return <span className="muted">never</span>
  const took = timeTaken(run, now)
  return (
    <Link href={`/runs/${run.id}`} className="quiet">
      {isActive(run) ? <span>Run #{run.sequence}</span> : <Time at={run.finished_at ?? run.queued_at} />}
      <span className="under nowrap">
        {plural(run.written, 'row')}
        {took !== null && ` · ${duration(took / 1000)}`}
      </span>
    </Link>
  )
}

/** When a job runs next, or why it does not. */
export function NextRun({ job }: { job: Job }) {
  const now = useNow()
  if (!job.enabled) return <span className="muted">paused</span>
  if (!job.schedule) return <span className="muted">by hand only</span>
  if (!job.next_fire_time) return <span className="muted">no fire time left</span>
  return (
    <span className="nowrap">
      {Date.parse(job.next_fire_time) < now && 'due '}
      <When at={job.next_fire_time} zone={job.schedule.timezone} />
    </span>
  )
}
