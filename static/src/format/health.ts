import type { Job, Run } from '../api/wire'
import { plural } from './number'
import { isActive, isRetrying } from './run'
import { relative } from './time'

/** How long past its fire time an enabled job counts as late, in ms. */
const LATE_MS = 60_000

export type JobStanding = 'in step' | 'running' | 'queued' | 'retrying' | 'failed' | 'held' | 'late' | 'off' | 'new' | 'cancelled'

/** What a job is to a person now: what it does, else how it last ended. */
export function standing(job: Job, now: number): JobStanding {
  const last = job.last_run
  if (last?.state === 'held') return 'held'
  if (last && isActive(last)) return isRetrying(last) ? 'retrying' : last.state === 'running' ? 'running' : 'queued'
  if (!job.enabled) return 'off'
  if (job.next_fire_time && now - Date.parse(job.next_fire_time) > LATE_MS) return 'late'
  if (last?.state === 'failed') return 'failed'
  if (last?.state === 'cancelled') return 'cancelled'
  return last?.state === 'succeeded' ? 'in step' : 'new'
}

export interface Need {
  job: Job
  run: Run | null
  why: 'failed' | 'held' | 'late'
}

/** The jobs that wait for a person, gravest first. */
export function needs(jobs: readonly Job[], now: number): Need[] {
  const order = ['held', 'failed', 'late'] as const
  const found = jobs.flatMap((job): Need[] => {
    const why = standing(job, now)
    return why === 'failed' || why === 'held' || why === 'late' ? [{ job, why, run: why === 'late' ? null : job.last_run }] : []
  })
  return found.sort((a, b) => order.indexOf(a.why) - order.indexOf(b.why))
}

export interface Leader {
  /** Nobody holds a live lease: no schedule fires. */
  none: boolean
  /** The instance that answers holds it. */
  here: boolean
  host: string | null
}

/** "3 jobs, all in step; next run in 12 s; this instance leads." */
export function healthSentence(jobs: readonly Job[], leader: Leader, now: number): string {
  if (jobs.length === 0) return `No jobs yet; ${leaderWords(leader)}.`
  const next = jobs
    .filter((job) => job.enabled && job.next_fire_time)
    .map((job) => Date.parse(job.next_fire_time ?? ''))
    .sort((a, b) => a - b)[0]
  const parts = [`${plural(jobs.length, 'job')}, ${standingWords(jobs, now)}`]
  if (next !== undefined) parts.push(next > now ? `next run ${relative(next, now)}` : 'next run now')
  parts.push(leaderWords(leader))
  return `${parts.join('; ')}.`
}

function standingWords(jobs: readonly Job[], now: number): string {
  const tally = new Map<JobStanding, number>()
  for (const job of jobs) {
    const one = standing(job, now)
    tally.set(one, (tally.get(one) ?? 0) + 1)
  }
  const of = (...ones: JobStanding[]) => ones.reduce((sum, one) => sum + (tally.get(one) ?? 0), 0)
  const troubled: [number, string][] = [
    [of('failed'), 'failed'],
    [of('held'), 'held'],
    [of('late'), 'late'],
    [of('retrying'), 'retrying'],
    [of('cancelled'), 'cancelled'],
    [of('off'), 'off'],
    [of('new'), 'not yet run'],
  ]
  const said = troubled.filter(([amount]) => amount > 0).map(([amount, word]) => (amount === jobs.length ? word : `${amount} ${word}`))
  const moving = of('running', 'queued')
  const calm = of('in step') + moving
  if (said.length === 0) return moving > 0 ? `all in step, ${moving} running` : jobs.length === 1 ? 'in step' : 'all in step'
  if (of('new') === jobs.length && jobs.length > 1) return 'none has run yet'
  if (said.length === 1 && calm === 0) return jobs.length === 1 ? (said[0] ?? '') : `all ${said[0] ?? ''}`
  return [...(calm > 0 ? [`${calm} in step`] : []), ...said].join(', ')
}

function leaderWords(leader: Leader): string {
  if (leader.none) return 'nobody leads, so no schedule fires'
  if (leader.here) return 'this instance leads'
  return leader.host ? `${leader.host} leads` : 'another instance leads'
}
