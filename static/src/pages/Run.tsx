import { useEffect, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { ApiError } from '../api/client'
import { useInstances, useRun } from '../api/queries'
import { useNeighbours } from '../api/run'
import type { Neighbours, Run as RunShape } from '../api/wire'
import { RunDeeds } from '../deeds/RunDeeds'
import { isFinal, triggerWords } from '../format/run'
import { Head } from '../parts/Head'
import { InstancesContext } from '../parts/InstanceName'
import { Loaded } from '../parts/Loaded'
import { RunState } from '../parts/RunState'
import { Tabs } from '../parts/Tabs'
import '../styles/run.css'
import { NotFound } from './NotFound'
import { LogTab } from './run/LogTab'
import { RunTab } from './run/RunTab'

const TABS = [
  { name: 'run', title: 'Run' },
  { name: 'log', title: 'Log' },
] as const

/** `/runs/ID?tab=`: one run, live, and its log. */
export function Run({ id }: { id: string }) {
  const run = useRun(id)
  const { refetch } = run
  const ended = run.data !== undefined && isFinal(run.data)
  const [wasGoing, setWasGoing] = useState(false)
  if (run.data && !ended && !wasGoing) setWasGoing(true)
  useEffect(() => {
    if (ended && wasGoing) void refetch() // an event may tell of the end before all that came with it
  }, [ended, wasGoing, refetch])
  if (run.error instanceof ApiError && run.error.status === 404) return <NotFound what="run">{`There is no run “${id}”`}</NotFound>
  if (!run.data) {
    return (
      <>
        <Head title="Run" crumbs={<Link href="/runs">Runs</Link>} />
        <div className="panel">
          <Loaded asked={run} lines={8}>
            {() => null}
          </Loaded>
        </div>
      </>
    )
  }
  return <KnownRun run={run.data} />
}

function KnownRun({ run }: { run: RunShape }) {
  const [query] = useSearchParams()
  const instances = useInstances()
  const neighbours = useNeighbours(run.id)
  const tab = query.get('tab') === 'log' ? 'log' : 'run'
  return (
    <InstancesContext value={instances.data ?? null}>
      <Head
        title={`${run.job_id} #${run.sequence}`}
        crumbs={
          <>
            <Link href="/runs">Runs</Link> / <Link href={`/jobs/${run.job_id}`}>{run.job_id}</Link>
            {neighbours.data && <Beside {...neighbours.data} tab={tab} />}
          </>
        }
        state={<RunState run={run} />}
        under={
          <>
            {run.state === 'skipped' || run.state === 'missed' ? 'Due' : 'Started'} {triggerWords(run.trigger)}
            {run.retry_of && (
              <>
                {' '}
                of <Link href={`/runs/${run.retry_of}`}>an earlier run</Link>
              </>
            )}
          </>
        }
      >
        {run.state !== 'held' && <RunDeeds run={run} />}
      </Head>
      <Tabs
        label={`Parts of run #${run.sequence}`}
        tabs={TABS}
        chosen={tab}
        href={(name) => (name === 'log' ? `/runs/${run.id}?tab=log` : `/runs/${run.id}`)}
      />
      {tab === 'log' ? <LogTab run={run} /> : <RunTab run={run} />}
    </InstancesContext>
  )
}

/** The runs of the job before and after this one, on the same tab. */
function Beside({ older, newer, tab }: Neighbours & { tab: string }) {
  const rest = tab === 'log' ? '?tab=log' : ''
  return (
    <span className="beside">
      {older && (
        <Link href={`/runs/${older.id}${rest}`} title={`Run #${older.sequence}, ${older.state}`}>
          ← #{older.sequence}
        </Link>
      )}
      {newer && (
        <Link href={`/runs/${newer.id}${rest}`} title={`Run #${newer.sequence}, ${newer.state}`}>
          #{newer.sequence} →
        </Link>
      )}
    </span>
  )
}
