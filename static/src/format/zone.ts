/** The viewer's zone, and the zones that there are. */
import { zoned } from './time'

export const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone

let known: string[] | undefined

/** Every zone's name, UTC first; asked of the browser once. */
export function zones(): string[] {
  known ??= ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]
  return known
}

export function isZone(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

const inWords = zoned({
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

/** "Wed 25 Nov, 06:00:00" in `zone`; in the viewer's where it is none. */
export function inZone(at: string, zone: string): string {
  try {
    return inWords(Date.parse(at), zone)
  } catch {
    return inWords(Date.parse(at))
  }
}

/** The zones to show an instant in, each once: the job's, the viewer's, UTC. */
export function shownZones(job: string, here: string = HERE): { zone: string; label: string }[] {
  const named = [
    { zone: job, label: 'the job’s zone' },
    { zone: here, label: 'your zone' },
    { zone: 'UTC', label: '' },
  ]
  const first = new Map<string, string[]>()
  for (const { zone, label } of named) first.set(zone, [...(first.get(zone) ?? []), ...(label ? [label] : [])])
  return [...first].map(([zone, labels]) => ({ zone, label: labels.join(', ') }))
}
