import { useState, type KeyboardEvent, type MouseEvent } from 'react'
import { Link } from 'wouter'
import type { TimelineRow } from '../api/wire'
import { marksOf, markWords, nearest, rowWords, type Mark, type Scale } from '../format/timeline'
import { TimelineMarks } from './TimelineMarks'

export interface Pointed {
  mark: Mark
  job: string
  /** Where in the timeline the mark is, in px: its middle, and the lower edge of its lane; and how wide all is. */
  middle: number
  below: number
  room: number
}

function pointed(mark: Mark, job: string, lane: HTMLElement): Pointed {
  const box = lane.getBoundingClientRect()
  const around = (lane.closest('.timeline') ?? lane).getBoundingClientRect()
  return { mark, job, middle: box.left - around.left + mark.x + mark.width / 2, below: box.bottom - around.top, room: around.width }
}

interface LaneProps {
  row: TimelineRow
  scale: Scale
  now: number
  onPoint: (pointed: Pointed | null) => void
  onOpen: (mark: Mark, job: string) => void
}

/** One job's line: a mark is pointed at with the mouse, or walked to with the arrow keys; Enter or a click opens it. */
export function TimelineLane({ row, scale, now, onPoint, onOpen }: LaneProps) {
  const marks = marksOf(row, scale, now)
  const [chosen, setChosen] = useState<number | null>(null)
  const index = chosen === null ? null : Math.min(chosen, marks.length - 1)
  const mark = index === null ? undefined : marks[index]
  // One begins at the newest run: what is looked for is seldom far from now.
  const first = Math.max(0, marks.findLastIndex((one) => one.start <= now))

  const point = (to: number | null, lane: HTMLElement) => {
    const found = to === null ? undefined : marks[to]
    setChosen(found ? to : null)
    onPoint(found ? pointed(found, row.job_id, lane) : null)
  }
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const from = index ?? first
    const steps: Record<string, number> = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: marks.length - 1 }
    const to = steps[event.key]
    if (to !== undefined) point(Math.min(marks.length - 1, Math.max(0, to)), event.currentTarget)
    else if (event.key === 'Enter' && mark) onOpen(mark, row.job_id)
    else if (event.key === 'Escape') point(null, event.currentTarget)
    else return
    event.preventDefault()
  }
  const onMouseMove = (event: MouseEvent<HTMLElement>) => {
    const found = nearest(marks, event.clientX - event.currentTarget.getBoundingClientRect().left)
    if (found !== (index ?? -1)) point(found < 0 ? null : found, event.currentTarget)
  }

  return (
    <li className="lane">
      <div className="lane-name">
        <Link href={`/jobs/${row.job_id}`} className="primary" title={`${row.source} → ${row.destination}`}>
          {row.job_id}
        </Link>
        {!row.enabled && <span className="tag calm">paused</span>}
      </div>
      {marks.length === 0 ? (
        <div className="lane-track">
          <TimelineMarks marks={marks} width={scale.width} chosen={undefined} />
          <span className="hidden">No run in this time.</span>
        </div>
      ) : (
        <div
          className="lane-track"
          role="slider"
          tabIndex={0}
          aria-label={`Runs of ${row.job_id}: ${rowWords(marks)}`}
          aria-valuemin={1}
          aria-valuemax={marks.length}
          aria-valuenow={(index ?? first) + 1}
          aria-valuetext={markWords(mark ?? (marks[first] as Mark))}
          onKeyDown={onKeyDown}
          onFocus={(event) => event.currentTarget.matches(':focus-visible') && point(index ?? first, event.currentTarget)}
          onBlur={(event) => point(null, event.currentTarget)}
          onMouseMove={onMouseMove}
          onMouseLeave={(event) => point(null, event.currentTarget)}
          onClick={() => mark && onOpen(mark, row.job_id)}
        >
          <TimelineMarks marks={marks} width={scale.width} chosen={mark} />
        </div>
      )}
    </li>
  )
}
