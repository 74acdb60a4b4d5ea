import type { Progress } from '../api/wire'
import { count } from './number'

/** How fast a growing count grows: samples over a sliding window, oldest first. */

export interface Sample {
  at: number
  value: number
}

const WINDOW_MS = 6_000

/** `samples` with `value` at `at` (ms) added, and those that left the window dropped; anew where the count fell. */
export function sampled(samples: readonly Sample[], at: number, value: number): Sample[] {
  const last = samples.at(-1)
  if (last && value < last.value) return [{ at, value }]
  if (last && at <= last.at) return [...samples]
  const first = samples.findLastIndex((sample) => at - sample.at >= WINDOW_MS)
  return [...samples.slice(Math.max(0, first)), { at, value }]
}

/** A second's growth over the window; null while there is too little to tell. */
export function rate(samples: readonly Sample[]): number | null {
  const first = samples[0]
  const last = samples.at(-1)
  if (!first || !last || last.at - first.at < 500) return null
  return ((last.value - first.value) * 1000) / (last.at - first.at)
}

/** Rows a second of a stream that ended, over the time that it spent; null where that is too little to tell. */
export function mean({ written, spent }: Pick<Progress, 'written' | 'spent'>): number | null {
  const seconds = spent.source + spent.transform + spent.destination + spent.checkpoint
  return written > 0 && seconds >= 0.05 ? written / seconds : null
}

/** How many rows against the usual, in words; null where there is nothing worth a word. */
export function compared(written: number, usual: number, going: boolean): string | null {
  if (usual <= 0) return null
  const share = written / usual
  if (going) return share > 1 ? `more than the usual ${count(usual)}` : `${Math.floor(share * 100)}% of the usual ${count(usual)}`
  if (share >= 2) return `${share.toFixed(share < 10 ? 1 : 0)} times the usual ${count(usual)}`
  return share <= 0.5 ? `usually ${count(usual)}` : null
}
