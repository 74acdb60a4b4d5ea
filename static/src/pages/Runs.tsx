import { useState } from 'react'
import { useAddress } from '../address'
import { useBulk } from '../api/bulk'
import { useRuns } from '../api/queries'
import { useRights } from '../api/session'
import type { Run } from '../api/wire'
import { changes, toggled } from '../format/selection'
import { NoMatch } from '../parts/Blank'
import { Head } from '../parts/Head'
import { Loaded } from '../parts/Loaded'
import { Paging } from '../parts/Paging'
import { RunBulk, type ManyDeed } from '../parts/run/RunBulk'
import { RunsTable } from '../parts/RunsTable'
import '../styles/run.css'
import { useFrozen } from '../useFrozen'
import { NoRuns } from './nothing'
import { RunFilters, sinceOf, statesOf, triggerOf } from './run/RunFilters'

const PAGE = 50

/** `/runs?job=&state=&trigger=&hours=&after=&selected=`: the history, newest first. While some are selected it stands still. */
export function Runs() {
  const { operate } = useRights()
  const [query, change] = useAddress()
  const job = query.get('job')
  const states = statesOf(query.get('state'))
  const trigger = triggerOf(query.get('trigger'))
  const hours = query.get('hours')
  const after = query.get('after')
  const asked = useRuns({ job, state: states.join(','), trigger, since: sinceOf(hours), after, limit: PAGE })
  const wanted = operate ? (query.get('selected')?.split(',') ?? []) : []
  const [list, refresh] = useFrozen(asked.data, wanted.length > 0)
  const runs = list?.items ?? []
  const ids = runs.map(({ id }) => id)
  const chosen = ids.filter((id) => wanted.includes(id.slice(0, SHORT)))
  const [anchor, setAnchor] = useState<string | null>(null)
  const { bulk, start, forget } = useBulk<ManyDeed>('runs')
  const narrowed = job !== null || states.length > 0 || trigger !== null || hours !== null

  const choose = (next: string[]) => {
    if (next.length > 0) forget()
    change({ selected: next.map((id) => id.slice(0, SHORT)).join(',') }, { replace: true })
  }
  const doAll = async (deed: ManyDeed, of: string[]) => {
    await start(deed, of)
    change({ selected: null }, { replace: true })
  }

  return (
    <>
      <Head title="Runs" under={after ? 'Older ones, newest first' : 'Newest first'} />
      <RunFilters
        job={job}
        states={states}
        trigger={trigger}
        hours={hours}
        onChange={(changed) => change({ ...changed, after: null, selected: null })}
      />
      <div className="panel" data-clear={chosen.length > 0 ? '' : undefined}>
        {(chosen.length > 0 || bulk) && (
          <RunBulk
            chosen={runs.filter(({ id }) => chosen.includes(id))}
            bulk={bulk}
            changed={changes(runs, asked.data?.items ?? runs, (run) => run.id, looks)}
            names={new Map(runs.map((run) => [run.id, `${run.job_id} #${run.sequence}`]))}
            onDo={(deed, of) => void doAll(deed, of)}
            onRefresh={refresh}
            onClear={() => choose([])}
          />
        )}
        <Loaded asked={{ ...asked, data: list }} lines={12}>
          {({ items, next }) => {
            if (items.length === 0) {
              if (!narrowed && !after) return <NoRuns />
              return <NoMatch what="runs" onClear={() => change({ job: null, state: null, trigger: null, hours: null, after: null })} />
            }
            return (
              <>
                <RunsTable
                  runs={items}
                  label="Runs"
                  choosing={
                    operate
                      ? {
                          chosen,
                          onChoose: (id, on, range) => {
                            choose(toggled(chosen, ids, id, on, range ? anchor : null))
                            setAnchor(id)
                          },
                          onChooseAll: (on) => choose(on ? ids : []),
                        }
                      : null
                  }
                />
                <Paging next={next} size={PAGE} label="Pages of runs" />
              </>
            )
          }}
        </Loaded>
      </div>
    </>
  )
}

/** So much of a run's id is in the address: fifty whole ones would make it longer than some programs take. */
const SHORT = 10

/** What a person would see differ in a row, save how far it is. */
function looks({ state, attempt, cancel }: Run): string {
  return [state, attempt, cancel !== null].join(' ')
}
