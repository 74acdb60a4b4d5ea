/** Where the runs and the fire times of a timeline stand in its picture. Instants are ms, places px. */
import type { Ahead, RunState, Span, TimelineRow } from '../api/wire'
import { count as counted, plural } from './number'
import { duration, exact } from './time'

export interface Scale {
  since: number
  until: number
  width: number
  /** What lies closer together than this (ms) came as one. */
  near: number
}

export interface Mark {
  state: RunState | 'ahead'
  x: number
  width: number
  count: number
  /** The newest run of the mark; null for fire times to come. */
  run: string | null
  start: number
  end: number | null
  /** What one run is likely to take, in seconds. */
  seconds: number | null
  note: string | null
}

/** So narrow that it can still be seen, and hit. */
const NARROWEST = 4

export function placeOf(scale: Scale, at: number): number {
  const share = (at - scale.since) / (scale.until - scale.since)
  return Math.min(1, Math.max(0, share)) * scale.width
}

/** A row's marks, oldest first. What goes on reaches to `now`. */
export function marksOf(row: Pick<TimelineRow, 'past' | 'ahead'>, scale: Scale, now: number): Mark[] {
  const past = row.past.map((span) => pastMark(span, scale, now))
  const ahead = row.ahead.map((one, index) => aheadMark(one, row.ahead[index + 1], scale))
  return [...past, ...ahead].sort((a, b) => a.start - b.start)
}

function pastMark({ run_id, state, start, end, count }: Span, scale: Scale, now: number): Mark {
  const begun = Date.parse(start)
  const ended = end === null ? null : Date.parse(end)
  return { ...stretch(scale, begun, ended ?? now), state, count, run: run_id, start: begun, end: ended, seconds: null, note: null }
}

function aheadMark({ start, count, seconds, note }: Ahead, next: Ahead | undefined, scale: Scale): Mark {
  const due = Date.parse(start)
  const gathered = Math.min(due + scale.near, next ? Date.parse(next.start) : Infinity)
  const end = count > 1 ? gathered : due + (seconds ?? 0) * 1000
  return { ...stretch(scale, due, end), state: 'ahead', count, run: null, start: due, end: null, seconds, note }
}

function stretch(scale: Scale, from: number, to: number): { x: number; width: number } {
  const left = placeOf(scale, from)
  const width = Math.max(NARROWEST, placeOf(scale, to) - left)
  return { x: Math.min(left, scale.width - width), width }
}

/** The mark under `x`, else the closest one within `reach` px; its index, -1 for none. */
export function nearest(marks: readonly Mark[], x: number, reach = 12): number {
  let best = -1
  let least = reach
  marks.forEach((mark, index) => {
    const away = Math.max(mark.x - x, x - (mark.x + mark.width), 0)
    // Of two that are equally near the later is drawn above, and is the one that is seen.
    if (away <= least) {
      least = away
      best = index
    }
  })
  return best
}

/** What a mark is, in words: for who hovers, and for who listens. */
export function markWords(mark: Mark): string {
  const from = exact(new Date(mark.start).toISOString())
  if (mark.state === 'ahead') {
    const what = mark.count > 1 ? `${plural(mark.count, 'fire time')} from ${from}` : `due ${from}`
    const each = mark.seconds === null ? '' : `, ${mark.count > 1 ? 'each ' : ''}likely to take ${duration(mark.seconds)}`
    return `${what}${each}${mark.note ? `; ${mark.note}` : ''}`
  }
  if (mark.count > 1) {
    const noun = mark.state === 'missed' || mark.state === 'skipped' ? 'fire time' : 'run'
    const until = mark.end === null ? '' : ` to ${exact(new Date(mark.end).toISOString())}`
    return `${plural(mark.count, noun)} ${mark.state}, ${from}${until}`
  }
  const took = mark.end === null || mark.end <= mark.start ? '' : `, took ${duration((mark.end - mark.start) / 1000)}`
  return `${mark.state}, ${from}${took}`
}

/** A row in one sentence: "12 succeeded, 1 failed, 3 to come". */
export function rowWords(marks: readonly Mark[]): string {
  const tally = new Map<string, number>()
  for (const { state, count } of marks) {
    const word = state === 'ahead' ? 'to come' : state
    tally.set(word, (tally.get(word) ?? 0) + count)
  }
  return [...tally].map(([word, amount]) => `${counted(amount)} ${word}`).join(', ') || 'no run'
}
