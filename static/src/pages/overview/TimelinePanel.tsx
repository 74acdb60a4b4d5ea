import { useState } from 'react'
import { useLocation } from 'wouter'
import { useAddress } from '../../address'
import { useTimeline } from '../../api/overview'
import { rangeOf } from '../../format/range'
import type { Mark } from '../../format/timeline'
import { HERE } from '../../format/zone'
import { NoMatch, NoSense } from '../../parts/Blank'
import { Legend } from '../../parts/Legend'
import { Loaded } from '../../parts/Loaded'
import { Paging } from '../../parts/Paging'
import { Panel } from '../../parts/Panel'
import { Ranges } from '../../parts/Ranges'
import { Timeline, TimelineRoom } from '../../parts/Timeline'
import { JobSearch, searchFault } from '../JobSearch'

const ROWS = 50
/** So wide is a part of the window in which runs are drawn as one: wide enough for their count. */
const PART = 24
const STEP = 10

/** All jobs against time: what ran, what will, a page of them at a time. */
export function TimelinePanel() {
  const [query, change] = useAddress()
  const [, go] = useLocation()
  const [width, setWidth] = useState(0)
  const range = rangeOf(query.get('range') ?? '')
  const q = query.get('q') ?? ''
  const after = query.get('after')
  const buckets = width === 0 ? 0 : Math.min(200, Math.max(2 * STEP, Math.round(width / PART / STEP) * STEP))
  const timeline = useTimeline({ range: range.name, q, after, buckets, limit: ROWS })
  const open = ({ run }: Mark, job: string) => go(run ? `/runs/${run}` : `/jobs/${job}?tab=schedule`)
  return (
    <Panel
      title="Timeline"
      note={`${range.title.toLowerCase()}, times in ${HERE}`}
      tools={<Ranges chosen={range.name} onChoose={(name) => change({ range: name })} />}
    >
      <div className="panel-tools">
        <JobSearch value={q} error={timeline.error} onSearch={(text) => change({ q: text, after: null }, { replace: true })} />
        <Legend />
      </div>
      {searchFault(timeline.error) && !timeline.data ? (
        <NoSense onClear={() => change({ q: null, after: null })} />
      ) : (
        <>
          {!timeline.data && <TimelineRoom onWidth={setWidth} />}
          <Loaded asked={timeline} lines={8}>
            {(found) =>
              found.items.length === 0 ? (
                <NoMatch what="jobs" onClear={() => change({ q: null, after: null })} />
              ) : (
                <>
                  <Timeline timeline={found} buckets={buckets} onOpen={open} onWidth={setWidth} />
                  <Paging next={found.next} size={ROWS} label="Pages of the timeline" />
                </>
              )
            }
          </Loaded>
        </>
      )}
    </Panel>
  )
}
