import { Link } from 'wouter'
import { useInstances, useJobs, useRuns, useStatus } from '../api/queries'
import { JobDeeds } from '../deeds/JobDeeds'
import { RunDeeds } from '../deeds/RunDeeds'
import { leaderOf } from '../format/leader'
import { needs } from '../format/health'
import { useNow } from '../format/now'
import { Health } from '../parts/Health'
import { useTitle } from '../parts/Head'
import { JobsTable } from '../parts/JobsTable'
import { Loaded } from '../parts/Loaded'
import { Needs } from '../parts/Needs'
import { Panel } from '../parts/Panel'
import { RunsTable } from '../parts/RunsTable'
import { Warnings } from '../parts/Warnings'
import { NoJobs, NoRuns } from './nothing'

const RECENT = 12

/** `/`: is all well, what needs me, what runs, what ran. */
export function Overview() {
  useTitle('Overview')
  const now = useNow()
  const status = useStatus()
  const instances = useInstances()
  const jobs = useJobs()
  const runs = useRuns({ limit: RECENT })
  const waiting = jobs.data ? needs(jobs.data.items, now) : []
  // A late job needs you: it is in that list.
  const warnings = status.data?.warnings.filter((one) => one.kind !== 'late_job') ?? []
  return (
    <>
      <Health
        jobs={jobs.data?.items}
        status={status.data}
        leader={status.data && leaderOf(status.data, instances.data?.items ?? [])}
        failed={jobs.error ?? status.error}
      />
      {warnings.length > 0 && <Warnings warnings={warnings} />}
      {waiting.length > 0 && (
        <Needs
          needs={waiting}
          actions={({ run, job }) => (run ? <RunDeeds run={run} little /> : <JobDeeds job={job} />)}
        />
      )}
      <div className="columns even">
        <Panel title="Jobs" tools={<Link href="/jobs" className="small">All jobs</Link>}>
          <Loaded asked={jobs} lines={6}>
            {({ items }) =>
              items.length === 0 ? <NoJobs /> : <JobsTable jobs={items} actions={(job) => <JobDeeds job={job} />} />
            }
          </Loaded>
        </Panel>
        <Panel title="Recent runs" tools={<Link href="/runs" className="small">All runs</Link>}>
          <Loaded asked={runs} lines={8}>
            {({ items }) => (items.length === 0 ? <NoRuns /> : <RunsTable runs={items} label="Recent runs" />)}
          </Loaded>
        </Panel>
      </div>
    </>
  )
}
