import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Job } from '../api/wire'
import { useNow } from '../format/now'
import { plural } from '../format/number'
import { isActive, timeTaken, totals } from '../format/run'
import { duration } from '../format/time'
import { Bars } from './Bars'
import { JobState } from './JobState'
import { Time } from './Time'

interface JobsTableProps {
  jobs: Job[]
  /** The buttons of a row. */
  actions: (job: Job) => ReactNode
}

export function JobsTable({ jobs, actions }: JobsTableProps) {
  return (
    <table aria-label="Jobs">
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col" className="wide">
            Last runs
          </th>
          <th scope="col" className="mid">
            Last run
          </th>
          <th scope="col" className="mid">
            Next run
          </th>
          <th scope="col">
            <span className="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.id}>
            <th scope="row">
              <Link href={`/jobs/${job.id}`} className="primary">
                {job.id}
              </Link>
              <span className="under">
                {job.source} → {job.destination} · {plural(job.streams.length, 'stream')} · {job.words}
              </span>
              <span className="under narrow">
                Next run: <NextRun job={job} />
              </span>
            </th>
            <td>
              <JobState job={job} />
            </td>
            <td className="wide">
              <Link href={`/runs?job=${job.id}`}>
                <Bars runs={job.recent_runs} />
              </Link>
            </td>
            <td className="mid">
              <LastRun job={job} />
            </td>
            <td className="mid">
              <NextRun job={job} />
            </td>
            <td>{actions(job)}</td>
          </tr>
        ))}
      </tbody>
    </table>
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
        {plural(totals(run.progress).written, 'row')}
        {took !== null && ` · ${duration(took / 1000)}`}
      </span>
    </Link>
  )
}

/** When a job runs next, or why it does not. */
export function NextRun({ job }: { job: Job }) {
  const now = useNow()
  if (!job.enabled) return <span className="muted">disabled</span>
  if (!job.schedule) return <span className="muted">by hand only</span>
  const due = job.next_fire_time !== null && Date.parse(job.next_fire_time) < now
  return (
    <>
      {due && 'due '}
      <Time at={job.next_fire_time} never="no fire time left" />
    </>
  )
}
