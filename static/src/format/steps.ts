/** What became of a run, instant by instant, and what the time between was spent on. */
import type { Attempt, Run, RunError, RunState } from '../api/wire'
import { triggerWords } from './run'

/** What passes before a step: a queue, a pause before the next attempt, work, a person who thinks. */
export type Gap = 'waited' | 'paused' | 'worked' | 'held'

export interface Step {
  key: string
  at: string
  title: string
  /** The state that the run came into. */
  state: RunState | 'asked' | 'due'
  instance: string | null
  /** The claim under which that instance works. */
  token: number | null
  detail: string | null
  error: RunError | null
  /** Of the attempt that ended here. */
  attempt: number | null
  /** How long and on what, since the step before; null at the first. */
  gap: { kind: Gap; ms: number } | null
}

type Bare = Pick<Step, 'key' | 'at' | 'title' | 'state'> & Partial<Step>

/** Every step of a run that is known, in order. What has not happened yet is no step. */
export function stepsOf(run: Run): Step[] {
  const steps: Bare[] = []
  if (run.fire_time) steps.push({ key: 'due', at: run.fire_time, title: 'Due', state: 'due' })
  if (run.state === 'skipped' || run.state === 'missed') {
    const title = run.state === 'skipped' ? 'Skipped' : 'Missed'
    steps.push({ key: 'end', at: run.queued_at, title, state: run.state, detail: run.reason })
    return timed(steps)
  }
  steps.push({ key: 'queued', at: run.queued_at, title: 'Queued', state: 'queued', detail: triggerWords(run.trigger) })
  for (const attempt of run.attempts) steps.push(...stepsOfAttempt(attempt, run))
  if (run.state === 'running' && run.attempt_started_at) {
    steps.push({ ...claimed(run.attempt, run.claim.token, run.attempt_started_at), instance: run.claim.instance })
  }
  if (run.approved) steps.push({ key: 'approved', at: run.approved.at, title: 'Approved', state: 'queued', detail: `by ${run.approved.by}` })
  if (run.cancel) steps.push({ key: 'cancel', at: run.cancel.at, title: 'Cancel asked', state: 'asked', detail: `by ${run.cancel.by}` })
  const last = run.attempts.at(-1)
  if (run.finished_at && last?.ended_at !== run.finished_at) {
    steps.push({ key: 'end', at: run.finished_at, title: capital(run.state), state: run.state, detail: run.reason })
  }
  return timed(steps.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)))
}

function claimed(attempt: number, token: number, at: string): Bare {
  return { key: `claimed ${token}`, at, title: 'Claimed', state: 'running', token, detail: `attempt ${attempt}` }
}

function stepsOfAttempt(attempt: Attempt, run: Run): Bare[] {
  const steps: Bare[] = []
  const { token, started_at, ended_at, instance, error } = attempt
  if (started_at) steps.push({ ...claimed(attempt.attempt, token, started_at), instance })
  if (!ended_at) return steps
  const last = ended_at === run.finished_at || (run.state === 'held' && attempt === run.attempts.at(-1))
  const state = last ? run.state : attempt.outcome === 'held' ? 'held' : 'queued'
  const title = last ? capital(run.state) : outcomeTitle(attempt.outcome)
  steps.push({ key: `ended ${token}`, at: ended_at, title, state, error, attempt: attempt.attempt, detail: last ? run.reason : null })
  return steps
}

function timed(steps: Bare[]): Step[] {
  return steps.map((step, index) => {
    const before = steps[index - 1]
    const ms = before ? Math.max(0, Date.parse(step.at) - Date.parse(before.at)) : 0
    const bare = { instance: null, token: null, detail: null, error: null, attempt: null }
    return { ...bare, ...step, gap: before ? { kind: gapOf(steps, index), ms } : null }
  })
}

/** What a run does from the step before `index` on. */
function gapOf(steps: readonly Bare[], index: number): Gap {
  for (let at = index - 1; at >= 0; at -= 1) {
    const step = steps[at]
    if (step?.state === 'asked') continue // an asking changes nothing yet
    if (step?.state === 'running') return 'worked'
    if (step?.state === 'held') return 'held'
    return step?.error ? 'paused' : 'waited'
  }
  return 'waited'
}

/** What the run does now, since its last step; null where it is at its end. */
export function goesOn(run: Run, steps: readonly Step[], now: number): { kind: Gap; ms: number } | null {
  const last = steps.at(-1)
  if (!last || run.finished_at !== null) return null
  const kind = run.state === 'running' ? 'worked' : run.state === 'held' ? 'held' : run.error ? 'paused' : 'waited'
  return { kind, ms: Math.max(0, now - Date.parse(last.at)) }
}

/** Milliseconds by what they were spent on, up to `now`. */
export function shares(run: Run, steps: readonly Step[], now: number): Record<Gap, number> {
  const sum: Record<Gap, number> = { waited: 0, paused: 0, worked: 0, held: 0 }
  for (const { gap } of steps) if (gap) sum[gap.kind] += gap.ms
  const open = goesOn(run, steps, now)
  if (open) sum[open.kind] += open.ms
  return sum
}

/** How late a run was queued after its fire time, in ms; null where no schedule asked for it. */
export function lateness(run: Run): number | null {
  return run.fire_time === null ? null : Math.max(0, Date.parse(run.queued_at) - Date.parse(run.fire_time))
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function outcomeTitle(outcome: string): string {
  return OUTCOMES[outcome]?.title ?? capital(outcome)
}

interface Outcome {
  title: string
  /** What it means, for who reads it the first time. */
  means: string | null
}

const OUTCOMES: Partial<Record<string, Outcome>> = {
  succeeded: { title: 'Succeeded', means: null },
  failed: { title: 'Attempt failed', means: null },
  cancelled: { title: 'Cancelled', means: null },
  held: { title: 'Held', means: 'A guard stopped it before it removed rows; nothing was removed.' },
  interrupted: {
    title: 'Interrupted',
    means: 'Its instance was told to stop. The next attempt goes on from the last checkpoint, and this one does not count.',
  },
  lost: {
    title: 'Lost and rescued',
    means:
      'Its instance died or froze, and its claim ran out. What it still sends is refused by the claim’s token; the next attempt goes on from the last checkpoint.',
  },
}

export function outcomeOf(outcome: string): Outcome {
  return OUTCOMES[outcome] ?? { title: capital(outcome), means: null }
}
