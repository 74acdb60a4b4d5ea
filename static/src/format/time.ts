const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const

/** Seconds as its two largest units: 3725 -> "1 h 2 min"; below ten seconds with a decimal, below one in ms. */
export function duration(seconds: number): string {
  const given = Math.max(0, seconds)
  if (given < 1) return `${Math.round(given * 1000)} ms`
  if (given < 9.95) return `${given.toFixed(1).replace(/\.0$/, '')} s`
  return spelled(Math.round(given), 2)
}

function spelled(seconds: number, most: number): string {
  let rest = seconds
  const words: string[] = []
  for (const [unit, size] of UNITS) {
    const amount = Math.floor(rest / size)
    rest -= amount * size
    if (amount > 0) words.push(`${amount} ${unit}`)
    else if (words.length > 0) break
    if (words.length === most) break
  }
  return words.join(' ') || '0 s'
}

/** `at` as seen from `now`, both in ms: "in 12 s", "3 min ago", "now" within half a second. */
export function relative(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000)
  if (seconds === 0) return 'now'
  const size = Math.abs(seconds)
  const words = spelled(size, size >= 3_600 && size < 864_000 ? 2 : 1)
  return seconds > 0 ? `in ${words}` : `${words} ago`
}

/** Milliseconds between two instants of the wire, null where one is missing. */
export function span(from: string | null, until: string | null | number): number | null {
  if (from === null || until === null) return null
  return (typeof until === 'number' ? until : Date.parse(until)) - Date.parse(from)
}

/** A format for each zone, made once: to make one takes longer than to draw a row. */
export function zoned(options: Intl.DateTimeFormatOptions): (at: number, zone?: string) => string {
  const made = new Map<string | undefined, Intl.DateTimeFormat>()
  return (at, zone) => {
    let format = made.get(zone)
    if (!format) {
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone })
      made.set(zone, format)
    }
    return format.format(at)
  }
}

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
const whole = zoned({ day: 'numeric', month: 'short', year: 'numeric', ...CLOCK, timeZoneName: 'short' })
const timeOfDay = zoned(CLOCK)
const dayOfYear = zoned({ day: 'numeric', month: 'short' })

/** "24 Nov 2026, 16:51:30 UTC" in `zone`, by default the viewer's. */
export function exact(at: string, zone?: string): string {
  return whole(Date.parse(at), zone)
}

/** "16:51:30" in the viewer's zone; with the date in front where it is another day than `now`. */
export function clock(at: string, now: number): string {
  const date = new Date(at)
  const time = timeOfDay(date.getTime())
  return date.toDateString() === new Date(now).toDateString() ? time : `${dayOfYear(date.getTime())} ${time}`
}
