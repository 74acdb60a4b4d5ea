import { Link } from 'wouter'
import { address, useAddress } from '../address'
import { useNeeds, useThroughput } from '../api/overview'
import { useInstances, useStatus } from '../api/queries'
import { NeedDeeds } from '../deeds/NeedDeeds'
import { leaderOf } from '../format/leader'
import { rangeOf } from '../format/range'
import { Health } from '../parts/Health'
import { useTitle } from '../parts/Head'
import { Leading } from '../parts/Leading'
import { Loaded } from '../parts/Loaded'
import { Needs } from '../parts/Needs'
import { Panel } from '../parts/Panel'
import { Running } from '../parts/Running'
import { Standings } from '../parts/Standings'
import { Throughput } from '../parts/Throughput'
import { Warnings } from '../parts/Warnings'
import { NoJobs } from './nothing'
import { TimelinePanel } from './overview/TimelinePanel'

const FEW = 6
const MANY = 100
const BUCKETS = 60
const RUNNING = 5

/** `/?range=&q=&after=&needs=`: is all well, what needs me, what ran and will run, how much, who leads. */
export function Overview() {
  useTitle('Overview')
  const [query] = useAddress()
  const range = rangeOf(query.get('range') ?? '')
  const status = useStatus()
  const instances = useInstances()
  const needs = useNeeds(query.get('needs') ? MANY : FEW)
  const summary = needs.data?.summary
  const throughput = useThroughput(range.name, BUCKETS, needs.isFetched)
  // A late job is among the needs.
  const warnings = status.data?.warnings.filter((one) => one.kind !== 'late_job') ?? []
  const leader = status.data && leaderOf(status.data, instances.data?.items ?? [])
  // What stands above may yet come in: what is below is drawn, but not shown, until it can stay where it is.
  const settled = status.isFetched && needs.isFetched
  return (
    <>
      <Health summary={summary} status={status.data} leader={leader} error={needs.error ?? status.error} />
      {summary && summary.jobs > 0 && <Standings standings={summary.standings} href={(word) => `/jobs?q=${word}`} />}
      {warnings.length > 0 && <Warnings warnings={warnings} />}
      {needs.data && (
        <Needs needs={needs.data} actions={(need) => <NeedDeeds need={need} />} more={<More all={query.has('needs')} />} />
      )}
      {summary?.jobs === 0 ? (
        <div className="panel">
          <NoJobs />
        </div>
      ) : (
        <div className={settled ? 'below' : 'below unsettled'}>
          <TimelinePanel />
          <div className="columns">
            <Panel title="Rows written" note={moved(range.name)}>
              <div className="panel-body">
                <Loaded asked={throughput} lines={5}>
                  {(found) => <Throughput throughput={found} />}
                </Loaded>
              </div>
            </Panel>
            <div className="columns stack">
              <Panel title="Runs now" note={status.data?.running.length} tools={<Link href="/runs" className="small">All runs</Link>}>
                <Loaded asked={status} lines={2}>
                  {({ running }) => <Running runs={running} most={RUNNING} />}
                </Loaded>
              </Panel>
              <Panel title="Leader" tools={<Link href="/instances" className="small">Instances</Link>}>
                <div className="panel-body">
                  <Loaded asked={instances} lines={3}>
                    {(found) => status.data && <Leading status={status.data} instances={found} />}
                  </Loaded>
                </div>
              </Panel>
            </div>
          </div>
        </div>
      )}
    </>
  )
}

function More({ all }: { all: boolean }) {
  const [query] = useAddress()
  if (all) return <Link href="/jobs?q=is:held+is:failed+is:late+is:retrying">All jobs that wait</Link>
  return <Link href={address('/', query, { needs: 'all' })}>Show {MANY}</Link>
}

/** What is moved is of the past, however far ahead the timeline looks. */
function moved(range: string): string {
  const past = range === 'next' ? '24h' : range === 'week' ? '7d' : range
  return rangeOf(past).title.toLowerCase()
}
