import { Link, useSearchParams } from 'wouter'
import { useJobs, useRuns } from '../api/queries'
import type { RunState } from '../api/wire'
import { NoMatch } from '../parts/Blank'
import { Head } from '../parts/Head'
import { Loaded } from '../parts/Loaded'
import { RunsTable } from '../parts/RunsTable'
import { TONES } from '../parts/State'
import { NoRuns } from './nothing'

const STATES = (Object.keys(TONES) as (keyof typeof TONES)[]).filter((state): state is RunState => state !== 'pending')
const PERIODS: [string, string][] = [
  ['1', 'last hour'],
  ['24', 'last day'],
  ['168', 'last week'],
]
const LIMIT = 50

/** `/runs?job=&state=&hours=&after=`: the history, newest first. */
export function Runs() {
  const [query, setQuery] = useSearchParams()
  const filter = { job: query.get('job'), state: query.get('state'), hours: query.get('hours') }
  const after = query.get('after')
  const jobs = useJobs()
  const runs = useRuns({ job: filter.job, state: filter.state, since: sinceOf(filter.hours), after, limit: LIMIT })
  const filtered = Object.values(filter).some(Boolean)

  const narrow = (name: keyof typeof filter, value: string) =>
    setQuery((before) => {
      const next = new URLSearchParams(before)
      next.delete('after')
      if (value) next.set(name, value)
      else next.delete(name)
      return next
    })
  const at = (run: string | null) => {
    const next = new URLSearchParams(query)
    if (run) next.set('after', run)
    else next.delete('after')
    return `/runs?${next}`
  }
  const names = new Set([...(jobs.data?.items.map((job) => job.id) ?? []), ...(filter.job ? [filter.job] : [])])

  return (
    <>
      <Head title="Runs" under={after ? 'Older ones, newest first' : 'Newest first'}>
        <div className="filters">
          <Choice label="Job" value={filter.job} onChange={(value) => narrow('job', value)} options={[...names].map((id) => [id, id])} />
          <Choice
            label="State"
            value={filter.state}
            onChange={(value) => narrow('state', value)}
            options={STATES.map((state) => [state, state])}
          />
          <Choice label="Since" value={filter.hours} onChange={(value) => narrow('hours', value)} options={PERIODS} any="ever" />
        </div>
      </Head>
      <div className="panel">
        <Loaded asked={runs} lines={12}>
          {({ items, next }) =>
            items.length === 0 ? (
              filtered || after ? (
                <NoMatch what="runs" onClear={() => setQuery({})} />
              ) : (
                <NoRuns />
              )
            ) : (
              <>
                <RunsTable runs={items} label="Runs" />
                {(after !== null || next !== null) && (
                  <nav className="panel-foot" aria-label="Pages">
                    {after ? <Link href={at(null)}>Newest</Link> : <span />}
                    {next && <Link href={at(next)}>Older</Link>}
                  </nav>
                )}
              </>
            )
          }
        </Loaded>
      </div>
    </>
  )
}

interface ChoiceProps {
  label: string
  value: string | null
  options: [value: string, label: string][]
  any?: string
  onChange: (value: string) => void
}

function Choice({ label, value, options, any = 'any', onChange }: ChoiceProps) {
  return (
    <label>
      {label}
      <select className="field" value={value ?? ''} onChange={(event) => onChange(event.target.value)}>
        <option value="">{any}</option>
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}

/** The instant so many hours ago, on a whole minute, so that the question stays the same while it is looked at. */
function sinceOf(hours: string | null): string | null {
  const ago = Number(hours)
  if (!ago) return null
  const minute = 60_000
  return new Date(Math.floor(Date.now() / minute) * minute - ago * 3_600_000).toISOString()
}
