/** The lines of a time axis, on whole hours and days of the viewer's zone: a day of 23 or 25 hours is that wide. */
import { zoned } from './time'

export interface Tick {
  at: number
  label: string
  /** A day begins. */
  day: boolean
}

const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880]
const MINUTE_MS = 60_000
const DAY_MINUTES = 1440

/** Ticks between two instants (ms), at least `apart` px from each other on an axis `width` px wide. */
export function ticksOf(since: number, until: number, width: number, apart = 72): Tick[] {
  const most = Math.max(1, Math.floor(width / apart))
  const span = (until - since) / MINUTE_MS
  const step = MINUTES.find((minutes) => span / minutes <= most) ?? Math.ceil(span / most / DAY_MINUTES) * DAY_MINUTES
  const ticks: Tick[] = []
  const at = new Date(since)
  at.setHours(0, 0, 0, 0)
  let last = -Infinity
  for (let minute = 0; at.getTime() < until; minute += step) {
    const next = new Date(at)
    // Counted from midnight by the wall clock, so that a change of the clocks moves no later tick off its hour.
    next.setMinutes(minute)
    const time = next.getTime()
    if (time >= until) break
    if (time >= since && time > last) {
      ticks.push({ at: time, day: isMidnight(next), label: labelOf(next) })
      last = time
    }
    if (minute > span + 2 * DAY_MINUTES) break
  }
  return ticks
}

function isMidnight(date: Date): boolean {
  return date.getHours() === 0 && date.getMinutes() === 0
}

const dayWords = zoned({ weekday: 'short', day: 'numeric' })
const timeWords = zoned({ hour: '2-digit', minute: '2-digit' })

function labelOf(date: Date): string {
  return isMidnight(date) ? dayWords(date.getTime()) : timeWords(date.getTime())
}
