import { useEffect, useRef, useState } from 'react'
import type { Timeline as Shape } from '../api/wire'
import { useNow } from '../format/now'
import { count } from '../format/number'
import { ticksOf, type Tick } from '../format/ticks'
import { markWords, placeOf, type Mark, type Scale } from '../format/timeline'
import { StateGlyph } from './State'
import { TimelineLane, type Pointed } from './TimelineLane'
import { toneOf } from './TimelineMarks'
import { useWidth } from './useWidth'

interface TimelineProps {
  timeline: Shape
  buckets: number
  onOpen: (mark: Mark, job: string) => void
  /** How wide the picture is, so that as much is asked for as can be seen. */
  onWidth: (width: number) => void
}

/** A line a job: what ran, what will, and now between them. */
export function Timeline({ timeline, buckets, onOpen, onWidth }: TimelineProps) {
  const now = useNow()
  const axis = useRef<HTMLDivElement>(null)
  const width = useWidth(axis)
  useEffect(() => {
    if (width > 0) onWidth(width)
  }, [width, onWidth])
  const [pointed, setPointed] = useState<Pointed | null>(null)
  const [since, until] = [Date.parse(timeline.since), Date.parse(timeline.until)]
  const scale: Scale = { since, until, width, near: (until - since) / buckets }
  const ticks = ticksOf(since, until, Math.max(width, 1))
  const seen = now > since && now < until ? placeOf(scale, now) : null
  return (
    <div className="timeline">
      <div className="timeline-axis" ref={axis} aria-hidden="true">
        {ticks.filter((tick) => hasRoom(placeOf(scale, tick.at), seen, width)).map((tick) => (
          <span key={tick.at} className={tick.day ? 'day' : undefined} style={{ insetInlineStart: `${placeOf(scale, tick.at)}px` }}>
            {tick.label}
          </span>
        ))}
        {seen !== null && (
          <span className="now" style={{ insetInlineStart: `${seen}px` }}>
            Now
          </span>
        )}
      </div>
      <Grid ticks={ticks} scale={scale} seen={seen} />
      <ol aria-label="Jobs, each with its runs and fire times">
        {timeline.items.map((row) => (
          <TimelineLane key={row.job_id} row={row} scale={scale} now={now} onPoint={setPointed} onOpen={onOpen} />
        ))}
      </ol>
      {pointed && <Tip pointed={pointed} />}
    </div>
  )
}

/** The place of a timeline that is not known yet: how wide its picture will be tells how much to ask for. */
export function TimelineRoom({ onWidth }: Pick<TimelineProps, 'onWidth'>) {
  const axis = useRef<HTMLDivElement>(null)
  const width = useWidth(axis)
  useEffect(() => {
    if (width > 0) onWidth(width)
  }, [width, onWidth])
  return (
    <div className="timeline" aria-hidden="true">
      <div className="timeline-axis" ref={axis} />
    </div>
  )
}

/** The width of a tick's label, and half of that of the word "Now", in px. */
const LABEL = 46
const HALF_NOW = 20

/** Whether a label at `x` neither runs into "Now" nor out of the picture. */
function hasRoom(x: number, now: number | null, width: number): boolean {
  return x + LABEL <= width + HALF_NOW && (now === null || x + LABEL < now - HALF_NOW || x > now + HALF_NOW)
}

/** The lines behind all rows. */
function Grid({ ticks, scale, seen }: { ticks: Tick[]; scale: Scale; seen: number | null }) {
  return (
    <div className="timeline-grid" aria-hidden="true">
      {ticks.map((tick) => (
        <span key={tick.at} className={tick.day ? 'day' : undefined} style={{ insetInlineStart: `${placeOf(scale, tick.at)}px` }} />
      ))}
      {seen !== null && <span className="now" style={{ insetInlineStart: `${seen}px` }} />}
    </div>
  )
}

const TIP = 280

/** What is pointed at, beside it, and inside the picture. */
function Tip({ pointed: { mark, job, middle, below, room } }: { pointed: Pointed }) {
  const left = Math.min(Math.max(8, middle - TIP / 2), Math.max(8, room - TIP - 8))
  return (
    <div className="tip" aria-hidden="true" style={{ insetInlineStart: `${left}px`, insetBlockStart: `${below + 4}px` }}>
      <strong>
        <span className={toneOf(mark.state)}>
          <StateGlyph state={mark.state === 'ahead' ? 'pending' : mark.state} size={14} />
        </span>
        {job}
      </strong>
      <p>{markWords(mark)}</p>
      <p className="muted">{hint(mark)}</p>
    </div>
  )
}

function hint(mark: Mark): string {
  if (!mark.run) return 'Click for the job.'
  return mark.count > 1 ? `Click for the newest of these ${count(mark.count)}.` : 'Click for the run.'
}
