import { Link } from 'wouter'
import { useRuns } from '../../api/queries'
import type { Job } from '../../api/wire'
import { useNow } from '../../format/now'
import { count } from '../../format/number'
import { timeTaken, totals } from '../../format/run'
import { duration } from '../../format/time'
import { Facts } from '../../parts/Facts'
import { NextRun } from '../../parts/JobsTable'
import { Loaded } from '../../parts/Loaded'
import { Panel } from '../../parts/Panel'
import { RunCharts } from '../../parts/RunCharts'
import { RunsTable } from '../../parts/RunsTable'
import { Time } from '../../parts/Time'
import { NoRuns } from '../nothing'
import { Alerted } from './Alerted'

const RUNS = 50

/** What became of the job's runs: how long they took, what they wrote, and the list. */
export function Runs({ job }: { job: Job }) {
  const now = useNow()
  const runs = useRuns({ job: job.id, limit: RUNS })
  const charted = [...(runs.data?.items ?? [])].reverse().map((run) => {
    const took = run.started_at === null ? null : timeTaken(run, now)
    return {
      id: run.id,
      sequence: run.sequence,
      state: run.state,
      at: run.started_at ?? run.queued_at,
      seconds: took === null ? null : took / 1_000,
      written: totals(run.progress).written,
    }
  })
  return (
    <>
      <div className="panel">
        <div className="panel-body">
          <Facts
            entries={[
              ['Next run', <NextRun key="next" job={job} />],
              ['Data as of', <Time key="data" at={job.data_as_of} never="never moved" />],
              ['Takes typically', job.typical_seconds === null ? 'not known yet' : duration(job.typical_seconds)],
              ['Rows a day', job.rows_per_day === null ? 'not known yet' : count(job.rows_per_day)],
              ['Last run', job.last_run ? <Time key="last" at={job.last_run.finished_at ?? job.last_run.started_at} /> : 'never'],
              ['Alerts', <Alerted key="alerts" job={job.id} />],
            ]}
          />
          <RunCharts runs={charted} />
        </div>
      </div>
      <Panel
        title="Runs"
        tools={
          <Link href={`/runs?job=${job.id}`} className="small">
            All runs of this job
          </Link>
        }
      >
        <Loaded asked={runs} lines={8}>
          {({ items }) => (items.length === 0 ? <NoRuns /> : <RunsTable runs={items} job={false} label={`Runs of ${job.id}`} />)}
        </Loaded>
      </Panel>
    </>
  )
}
