import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { useAddress } from '../address'
import { useBulk } from '../api/bulk'
import { useSummary } from '../api/overview'
import { useJobs } from '../api/queries'
import { useRights } from '../api/session'
import type { Job } from '../api/wire'
import { JobDeeds } from '../deeds/JobDeeds'
import { plural } from '../format/number'
import { changes, toggled } from '../format/selection'
import { NoMatch, NoSense } from '../parts/Blank'
import { BulkBar } from '../parts/BulkBar'
import { Head } from '../parts/Head'
import { Icon } from '../parts/Icon'
import { JobsTable } from '../parts/JobsTable'
import { Loaded } from '../parts/Loaded'
import { Standings } from '../parts/Standings'
import { Paging } from '../parts/Paging'
import { useFrozen } from '../useFrozen'
import { JobSearch, searchFault } from './JobSearch'
import { NoJobs } from './nothing'

const PAGE = 50

/** `/jobs?q=&after=&selected=`: every job, a page at a time. While some are selected the list stands still. */
export function Jobs() {
  const { operate, admin } = useRights()
  const [query, change] = useAddress()
  const q = query.get('q') ?? ''
  const asked = useJobs({ q, after: query.get('after'), limit: PAGE })
  const summary = useSummary(asked.isFetched)
  const wanted = operate ? (query.get('selected')?.split(',') ?? []) : []
  const [list, refresh] = useFrozen(asked.data, wanted.length > 0)
  const jobs = list?.items ?? []
  const ids = jobs.map(({ id }) => id)
  const chosen = ids.filter((id) => wanted.includes(id))
  const [anchor, setAnchor] = useState<string | null>(null)
  const { bulk, start, forget } = useBulk()

  // What was selected is on another page, or gone: the list need not stand still for it.
  const lost = list !== undefined && wanted.length > 0 && chosen.length === 0
  useEffect(() => {
    if (lost) change({ selected: null }, { replace: true })
  }, [lost, change])

  const choose = (next: string[]) => {
    if (next.length > 0) forget()
    change({ selected: next.join(',') }, { replace: true })
  }
  const search = (text: string) => change({ q: text, after: null, selected: null }, { replace: true })
  const doAll = async (deed: Parameters<typeof start>[0], of: string[]) => {
    await start(deed, of)
    change({ selected: null }, { replace: true })
  }

  return (
    <>
      <Head title="Jobs" under={summary.data ? plural(summary.data.jobs, 'job') : '\u00a0'}>
        {admin && (
          <Link href="/new-job" className="button first">
            New job
          </Link>
        )}
      </Head>
      <JobSearch value={q} error={asked.error} onSearch={search} />
      <Standings standings={summary.data?.standings ?? {}} href={(word) => `/jobs?q=${word}`} />
      <div className="panel">
        {(chosen.length > 0 || bulk) && (
          <BulkBar
            chosen={jobs.filter(({ id }) => chosen.includes(id))}
            bulk={bulk}
            changed={changes(jobs, asked.data?.items ?? jobs, (job) => job.id, looks)}
            onDo={(deed, of) => void doAll(deed, of)}
            onRefresh={refresh}
            onClear={() => choose([])}
          />
        )}
        {searchFault(asked.error) && !list ? (
          <NoSense onClear={() => search('')} />
        ) : (
          <Loaded asked={{ ...asked, data: list }} lines={10}>
            {({ items, next }) => {
              if (items.length === 0) return q || query.has('after') ? <NoMatch what="jobs" onClear={() => search('')} /> : <NoJobs />
              return (
                <>
                  <JobsTable
                    jobs={items}
                    chosen={chosen}
                    onChoose={
                      operate
                        ? (id, on, range) => {
                            choose(toggled(chosen, ids, id, on, range ? anchor : null))
                            setAnchor(id)
                          }
                        : null
                    }
                    onChooseAll={(on) => choose(on ? ids : [])}
                    actions={(job) => <JobDeeds job={job} />}
                  />
                  <Paging next={next} size={PAGE} label="Pages of jobs" />
                </>
              )
            }}
          </Loaded>
        )}
      </div>
      <p className="muted small keys-hint">
        <Icon name="help" size={13} /> <kbd>j</kbd> <kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>x</kbd> selects, <kbd>.</kbd> runs,{' '}
        <kbd>?</kbd> shows all keys.
      </p>
    </>
  )
}

/** What a person would see differ in a row. */
function looks({ standing, enabled, revision, last_run }: Job): string {
  return [standing, enabled, revision, last_run?.id, last_run?.state].join(' ')
}
