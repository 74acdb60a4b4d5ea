/** What an alert tells, of which jobs, and how its messages fare: in words. */
import type { Alert, AlertKind } from '../api/wire'

/** What decides when an alert speaks; in a form a number may still be half typed. */
export interface Rules {
  failures: number | string | null
  recovery: boolean
  held: boolean
  stale: string | null
}

/** When it speaks, each as the end of "It tells when …"; nothing where it never would. `who` is of one job, or like one. */
export function occasions({ failures, recovery, held, stale }: Rules, who = 'a job'): string[] {
  const times = Number(failures)
  const found: string[] = []
  if (failures !== null) {
    found.push(times > 1 ? `${who} has failed ${times} times in a row` : `${who} fails`)
    if (recovery) found.push('it is in step again')
  }
  if (held) found.push(found.length === 0 ? `a run of ${who} is held` : 'a run of it is held')
  if (stale !== null) {
    const age = stale.trim() === '' ? '…' : spaced(stale)
    found.push(found.length === 0 ? `the data of ${who} is older than ${age}` : `its data is older than ${age}`)
    if (recovery) found.push('that is fresh again')
  }
  return found
}

/** The same as one sentence. */
export function rulesSentence(rules: Rules): string {
  const found = occasions(rules)
  return found.length === 0 ? 'Never: nothing is chosen.' : `${capital(whens(found))}.`
}

/** The whole promise of an alert: who is told, when, of what. `place` null: not known here. */
export function promiseOf(rules: Rules, jobs: readonly string[] | null, place: string | null): string {
  if (jobs?.length === 0) return 'It tells nothing yet: choose at least one job.'
  const found = occasions(rules, anyOf(jobs))
  if (found.length === 0) return 'It tells nothing yet: choose when it speaks.'
  return `It tells ${place ?? 'the URL'} ${whens(found)}. Each is told once, however long it lasts.`
}

/** "when a, when b, and when c". */
function whens(found: readonly string[]): string {
  const said = found.map((one) => `when ${one}`)
  if (said.length < 3) return said.join(' and ')
  return `${said.slice(0, -1).join(', ')}, and ${said.at(-1) ?? ''}`
}

/** Of more jobs than these the rest is counted. */
const NAMED = 3

function anyOf(jobs: readonly string[] | null): string {
  if (jobs === null) return 'any job'
  if (jobs.length <= NAMED) return jobs.length < 2 ? (jobs[0] ?? '') : `${jobs.slice(0, -1).join(', ')} or ${jobs.at(-1) ?? ''}`
  return `${jobs.slice(0, NAMED - 1).join(', ')} or one of ${jobs.length - NAMED + 1} other jobs`
}

const UNITS: Record<string, string> = { m: 'min' }

/** "1h30m" -> "1 h 30 min"; what is no duration stays as it is. */
export function spaced(duration: string): string {
  const typed = duration.trim()
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(typed)) return typed
  return [...typed.matchAll(/([\d.]+)([a-z]+)/g)].map(([, amount = '', unit = '']) => `${amount} ${UNITS[unit] ?? unit}`).join(' ')
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Where a URL leads, as far as it can be told here; null of one that the server puts in. */
export function hostOf(url: string): string | null {
  try {
    const { protocol, host } = new URL(url.trim())
    // A reference or asterisks for a host are none.
    return /^https?:$/.test(protocol) && /^[\w.:[\]-]+$/.test(host) ? host : null
  } catch {
    return null
  }
}

/** Where messages go, in a word: the host, else the reference that the server reads; null where neither is known. */
export function placeOf({ host, url }: Pick<Alert, 'host' | 'url'>): string | null {
  return host ?? (url.includes('********') || url.trim() === '' ? null : url)
}

/** How it goes: off; not yet told anything; arriving; on its way; waits for its next try; the last one never arrived. */
export type Faring = 'off' | 'quiet' | 'delivering' | 'sending' | 'waiting' | 'undelivered'

export function faringOf({ enabled, delivery }: Pick<Alert, 'enabled' | 'delivery'>): Faring {
  const { waiting, last_error, last_error_at, last_sent_at } = delivery
  if (!enabled) return 'off'
  if (waiting > 0) return last_error === null ? 'sending' : 'waiting'
  if (last_error !== null && (last_sent_at === null || (last_error_at !== null && last_error_at > last_sent_at))) return 'undelivered'
  return last_sent_at === null ? 'quiet' : 'delivering'
}

export const KIND_WORDS: Record<AlertKind, string> = {
  failing: 'failing',
  recovered: 'in step again',
  held: 'held',
  stale: 'stale',
  fresh: 'fresh again',
}

/** Whether an alert speaks of this job. */
export function watches({ jobs }: Pick<Alert, 'jobs'>, job: string): boolean {
  return jobs === null || jobs.includes(job)
}
