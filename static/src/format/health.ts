import type { Standing, Summary } from '../api/wire'
import { count, plural } from './number'
import { relative } from './time'

/** Every way a job can stand, gravest first, in the words that people read; a new one stops compiling here. */
export const STANDING_WORDS: Record<Standing, string> = {
  held: 'held',
  failed: 'failed',
  late: 'late',
  retrying: 'retrying',
  running: 'running',
  queued: 'queued',
  cancelled: 'cancelled',
  paused: 'paused',
  new: 'not yet run',
  in_step: 'in step',
}

export const STANDINGS = Object.keys(STANDING_WORDS) as Standing[]

/** The word that finds it in a search: `is:in-step`. */
export function searchWord(standing: Standing): string {
  return standing.replace('_', '-')
}

export interface Leader {
  /** Nobody holds a live lease: no schedule fires. */
  none: boolean
  /** The instance that answers holds it. */
  here: boolean
  host: string | null
}

/** "3 jobs, all in step; next run in 12 s; this instance leads." */
export function healthSentence(summary: Summary, leader: Leader, now: number): string {
  if (summary.jobs === 0) return `No jobs yet; ${leaderWords(leader)}.`
  const parts = [`${plural(summary.jobs, 'job')}, ${standingWords(summary)}`]
  if (summary.next_fire_time) {
    const next = Date.parse(summary.next_fire_time)
    parts.push(next > now ? `next run ${relative(next, now)}` : 'next run now')
  }
  parts.push(leaderWords(leader))
  return `${parts.join('; ')}.`
}

function standingWords({ jobs, standings }: Summary): string {
  const of = (...ones: Standing[]) => ones.reduce((sum, one) => sum + (standings[one] ?? 0), 0)
  const troubled: Standing[] = ['failed', 'held', 'late', 'retrying', 'cancelled', 'paused', 'new']
  const said = troubled
    .map((one): [number, string] => [of(one), STANDING_WORDS[one]])
    .filter(([amount]) => amount > 0)
    .map(([amount, word]) => (amount === jobs ? word : `${count(amount)} ${word}`))
  const moving = of('running', 'queued')
  const calm = of('in_step') + moving
  if (said.length === 0) return moving > 0 ? `all in step, ${count(moving)} running` : jobs === 1 ? 'in step' : 'all in step'
  if (of('new') === jobs && jobs > 1) return 'none has run yet'
  if (said.length === 1 && calm === 0) return jobs === 1 ? (said[0] ?? '') : `all ${said[0] ?? ''}`
  return [...(calm > 0 ? [`${count(calm)} in step`] : []), ...said].join(', ')
}

function leaderWords(leader: Leader): string {
  if (leader.none) return 'nobody leads, so no schedule fires'
  if (leader.here) return 'this instance leads'
  return leader.host ? `${leader.host} leads` : 'another instance leads'
}
