import { Link } from 'wouter'
import { ApiError } from '../api/client'
import { useFireTimes, useJob, useRuns } from '../api/queries'
import type { Guards, Job as JobShape } from '../api/wire'
import { JobDeeds } from '../deeds/JobDeeds'
import { RunDeeds } from '../deeds/RunDeeds'
import { needs } from '../format/health'
import { useNow } from '../format/now'
import { Bars } from '../parts/Bars'
import { Facts } from '../parts/Facts'
import { Head } from '../parts/Head'
import { JobState } from '../parts/JobState'
import { NextRun } from '../parts/JobsTable'
import { Loaded } from '../parts/Loaded'
import { Needs } from '../parts/Needs'
import { Panel } from '../parts/Panel'
import { RunsTable } from '../parts/RunsTable'
import { StreamSpecs } from '../parts/StreamSpecs'
import { ExactTime, Time } from '../parts/Time'
import { NotFound } from './NotFound'
import { NoRuns } from './nothing'

const RUNS = 25
const FIRE_TIMES = 6

/** `/jobs/ID`: one job, what it moves, when, and what became of its runs. */
export function Job({ id }: { id: string }) {
  const job = useJob(id)
  if (job.error instanceof ApiError && job.error.status === 404) return <NotFound what="job">{`There is no job “${id}”`}</NotFound>
  if (!job.data) {
    return (
      <>
        <Head title={id} crumbs={<Link href="/jobs">Jobs</Link>} />
        <div className="panel">
          <Loaded asked={job} lines={8}>
            {() => null}
          </Loaded>
        </div>
      </>
    )
  }
  return <KnownJob job={job.data} />
}

function KnownJob({ job }: { job: JobShape }) {
  const now = useNow()
  const runs = useRuns({ job: job.id, limit: RUNS })
  const waiting = needs([job], now)
  return (
    <>
      <Head
        title={job.id}
        crumbs={<Link href="/jobs">Jobs</Link>}
        state={<JobState job={job} />}
        under={`${job.source} → ${job.destination} · ${job.words}`}
      >
        <JobDeeds job={job} prominent />
      </Head>
      {waiting.length > 0 && (
        <Needs needs={waiting} actions={({ run }) => run && <RunDeeds run={run} little />} />
      )}
      <div className="columns">
        <div className="columns stack">
          <Panel title="Streams" note={job.streams.length}>
            <StreamSpecs streams={job.streams} />
          </Panel>
          <Panel
            title="Runs"
            tools={
              <Link href={`/runs?job=${job.id}`} className="small">
                All runs of this job
              </Link>
            }
          >
            <Loaded asked={runs} lines={8}>
              {({ items }) =>
                items.length === 0 ? <NoRuns /> : <RunsTable runs={items} job={false} label={`Runs of ${job.id}`} />
              }
            </Loaded>
          </Panel>
        </div>
        <div className="columns stack">
          <Panel title="Schedule">
            <div className="panel-body">
              <Facts
                one
                entries={[
                  ['Runs', job.words],
                  ['Next run', <NextRun key="next" job={job} />],
                  ['Last runs', <Bars key="bars" runs={job.recent_runs} />],
                  ['Last run', job.last_run ? <Time key="last" at={job.last_run.finished_at ?? job.last_run.started_at} /> : 'never'],
                ]}
              />
            </div>
          </Panel>
          {job.enabled && job.schedule && <FireTimes job={job} />}
          <Panel title="Settings">
            <div className="panel-body">
              <Facts
                one
                entries={[
                  ['Source', <Link key="s" href="/connections">{job.source}</Link>],
                  ['Destination', <Link key="d" href="/connections">{job.destination}</Link>],
                  ['Attempts', `${job.retry.attempts}, the first again after ${job.retry.backoff}`],
                  ['Timeout', job.timeout ?? 'none'],
                  ['Fire times missed', job.catch_up],
                  ['Fire times while it runs', job.overlap],
                  ['Held beyond', guardWords(job.guards)],
                  ['Owned by', job.owner],
                  ['Changed', <Time key="c" at={job.updated_at} />],
                  ['Revision', job.revision],
                ]}
              />
            </div>
          </Panel>
        </div>
      </div>
    </>
  )
}

function guardWords({ max_delete, max_shrink }: Guards): string {
  const parts = [
    ...(max_delete === false ? [] : [`${max_delete} deleted`]),
    ...(max_shrink === false ? [] : [`${max_shrink} shrunk`]),
  ]
  return parts.join(', ') || 'nothing: guards are off'
}

function FireTimes({ job }: { job: JobShape }) {
  const times = useFireTimes(job.id, FIRE_TIMES)
  const zone = job.schedule?.timezone ?? 'UTC'
  return (
    <Panel title="Next fire times" note={zone}>
      <div className="panel-body">
        <Loaded asked={times} lines={3}>
          {({ next }) => (
            <ol className="times">
              {next.map((at) => (
                <li key={at}>
                  <ExactTime at={at} zone={zone} />
                  <span className="muted">
                    <Time at={at} />
                  </span>
                </li>
              ))}
            </ol>
          )}
        </Loaded>
      </div>
    </Panel>
  )
}
