/** The spans of time that a person can choose from, and the instants they stand for. */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const RANGES = [
  { name: '1h', label: '1 h', title: 'The last hour', past: HOUR, future: 20 * MINUTE, moved: HOUR },
  { name: '6h', label: '6 h', title: 'The last 6 hours', past: 6 * HOUR, future: 2 * HOUR, moved: 6 * HOUR },
  { name: '24h', label: '24 h', title: 'The last 24 hours', past: DAY, future: 8 * HOUR, moved: DAY },
  { name: '7d', label: '7 d', title: 'The last 7 days', past: 7 * DAY, future: 2 * DAY, moved: 7 * DAY },
  { name: 'next', label: 'Next 24 h', title: 'The next 24 hours', past: HOUR, future: DAY, moved: DAY },
  { name: 'week', label: 'Next 7 d', title: 'The next 7 days', past: 6 * HOUR, future: 7 * DAY, moved: 7 * DAY },
] as const

export type RangeName = (typeof RANGES)[number]['name']
export type Range = (typeof RANGES)[number]

export const USUAL_RANGE = '24h'

/** The range of that name; the usual one for any other text, as an address may hold. */
export function rangeOf(name: string): Range {
  return RANGES.find((one) => one.name === name) ?? RANGES[2]
}

/** What a range is at `now` (ms), as the API wants it. */
export function windowOf(range: Pick<Range, 'past' | 'future'>, now: number): { since: string; until: string } {
  return { since: new Date(now - range.past).toISOString(), until: new Date(now + range.future).toISOString() }
}
