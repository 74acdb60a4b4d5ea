import { Link, useLocation } from 'wouter'
import { useAddress } from '../address'
import { ApiError } from '../api/client'
import { useDeleteJob } from '../api/job'
import { useJob } from '../api/queries'
import { useRights } from '../api/session'
import type { Job as JobShape } from '../api/wire'
import { JobDeeds } from '../deeds/JobDeeds'
import { RunDeeds } from '../deeds/RunDeeds'
import { Said } from '../parts/Act'
import { Confirm } from '../parts/Confirm'
import { Head } from '../parts/Head'
import { JobState } from '../parts/JobState'
import { Loaded } from '../parts/Loaded'
import { Owner } from '../parts/Owner'
import { Tabs } from '../parts/Tabs'
import { History } from './job/History'
import { Runs } from './job/Runs'
import { ScheduleTab } from './job/Schedule'
import { SettingsTab } from './job/Settings'
import { StreamsTab } from './job/Streams'
import { NotFound } from './NotFound'

const TABS = [
  { name: 'runs', title: 'Runs' },
  { name: 'streams', title: 'Streams' },
  { name: 'schedule', title: 'Schedule' },
  { name: 'settings', title: 'Settings' },
  { name: 'history', title: 'History' },
] as const
type Tab = (typeof TABS)[number]['name']

/** `/jobs/ID?tab=`: one job, what it moves, when, what became of its runs, and who changed it. */
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
  const [query] = useAddress()
  const chosen = TABS.find(({ name }) => name === query.get('tab'))?.name ?? 'runs'
  return (
    <>
      <Head
        title={job.id}
        crumbs={<Link href="/jobs">Jobs</Link>}
        state={
          <>
            <JobState job={job} />
            <Owner of={job.owner} />
          </>
        }
        under={
          <p>
            <Link href={`/connections/${job.source}`}>{job.source}</Link> → <Link href={`/connections/${job.destination}`}>{job.destination}</Link>
            {` · ${job.words}`}
          </p>
        }
      >
        <div className="actions">
          <JobDeeds job={job} prominent />
          <Delete job={job} />
        </div>
      </Head>
      {job.last_run?.state === 'held' && (
        <div className="notice wait">
          {job.last_run.reason ?? 'A run is held until a person looks at it.'}
          <RunDeeds run={job.last_run} little />
        </div>
      )}
      <Tabs
        label={`Parts of ${job.id}`}
        tabs={TABS}
        chosen={chosen}
        href={(name) => (name === 'runs' ? `/jobs/${job.id}` : `/jobs/${job.id}?tab=${name}`)}
      />
      <TabBody tab={chosen} job={job} />
    </>
  )
}

function TabBody({ tab, job }: { tab: Tab; job: JobShape }) {
  switch (tab) {
    case 'runs':
      return <Runs job={job} />
    case 'streams':
      return <StreamsTab job={job} />
    case 'schedule':
      return <ScheduleTab job={job} />
    case 'settings':
      return <SettingsTab job={job} />
    case 'history':
      return <History job={job} />
  }
}

function Delete({ job }: { job: JobShape }) {
  const { admin } = useRights()
  const [, go] = useLocation()
  const remove = useDeleteJob(job.id, job.revision, () => go('/jobs'))
  if (!admin || job.owner !== null) return null
  return (
    <>
      <Confirm
        deed={remove}
        label="Delete"
        busy="Deleting…"
        look="danger"
      >
        <p>
          Delete the job <strong>{job.id}</strong>? It has no fire times any more, and its checkpoints are forgotten.
        </p>
        <p className="muted">The history of its runs stays, and so does what it wrote to {job.destination}.</p>
      </Confirm>
      <Said deeds={[remove]} />
    </>
  )
}
