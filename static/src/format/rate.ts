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
