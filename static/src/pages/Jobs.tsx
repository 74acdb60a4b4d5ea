import { useSearchParams } from 'wouter'
import { useJobs } from '../api/queries'
import type { Job, JobList } from '../api/wire'
import { JobDeeds } from '../deeds/JobDeeds'
import { standing } from '../format/health'
import { useNow } from '../format/now'
import { count, plural } from '../format/number'
import { NoMatch } from '../parts/Blank'
import { Head } from '../parts/Head'
import { JobsTable } from '../parts/JobsTable'
import { Loaded } from '../parts/Loaded'
import { NoJobs } from './nothing'

const STANDINGS = ['in step', 'running', 'queued', 'retrying', 'failed', 'held', 'late', 'off', 'new', 'cancelled']

/** `/jobs?q=&state=`: every job, narrowed by a word of its name or ends, and by how it stands. */
export function Jobs() {
  const now = useNow()
  const jobs = useJobs()
  const [query, setQuery] = useSearchParams()
  const word = query.get('q') ?? ''
  const state = query.get('state') ?? ''

  const narrow = (name: string, value: string) =>
    setQuery(
      (before) => {
        const after = new URLSearchParams(before)
        if (value) after.set(name, value)
        else after.delete(name)
        return after
      },
      { replace: true },
    )
  const matches = (job: Job) =>
    `${job.id} ${job.source} ${job.destination}`.includes(word.toLowerCase()) && (!state || standing(job, now) === state)

  return (
    <>
      <Head title="Jobs" under={jobs.data && howMany(jobs.data.items.filter(matches).length, jobs.data)}>
        <div className="filters">
          <label>
            Find
            <input
              type="search"
              className="field"
              placeholder="name or connection"
              value={word}
              onChange={(event) => narrow('q', event.target.value)}
            />
          </label>
          <label>
            State
            <select className="field" value={state} onChange={(event) => narrow('state', event.target.value)}>
              <option value="">any</option>
              {STANDINGS.map((one) => (
                <option key={one} value={one}>
                  {one === 'new' ? 'not yet run' : one}
                </option>
              ))}
            </select>
          </label>
        </div>
      </Head>
      <div className="panel">
        <Loaded asked={jobs} lines={6}>
          {({ items }) => {
            const shown = items.filter(matches)
            if (items.length === 0) return <NoJobs />
            if (shown.length === 0) return <NoMatch what="jobs" onClear={() => setQuery({}, { replace: true })} />
            return <JobsTable jobs={shown} actions={(job) => <JobDeeds job={job} />} />
          }}
        </Loaded>
      </div>
    </>
  )
}

function howMany(shown: number, { items, next }: JobList): string {
  const all = `${next ? 'the first ' : ''}${plural(items.length, 'job')}`
  return shown === items.length ? all : `${count(shown)} of ${all}`
}
