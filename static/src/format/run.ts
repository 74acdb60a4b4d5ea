import type { Progress, Run, RunBrief, RunMark, RunState } from '../api/wire'
import { span } from './time'

const FINAL: Record<RunState, boolean> = {
  queued: false,
  running: false,
  held: false,
  succeeded: true,
  failed: true,
  cancelled: true,
  skipped: true,
  missed: true,
}

export function isActive(run: Pick<Run, 'state'>): boolean {
  return run.state === 'queued' || run.state === 'running'
}

/** An attempt failed, and the next one is on its way: it may heal by itself. */
export function isRetrying(run: Pick<Run, 'state' | 'error'>): boolean {
  return isActive(run) && run.error !== null
}

export function isFinal(run: Pick<Run, 'state'>): boolean {
  return FINAL[run.state]
}

export function canRetry(run: Pick<Run, 'state'>): boolean {
  return run.state === 'failed' || run.state === 'cancelled'
}

/** Milliseconds that a run took, or takes until `now`; null where it never started, or waits for a person. */
export function timeTaken(run: Pick<Run, 'state' | 'started_at' | 'finished_at'>, now: number): number | null {
  if (run.state === 'held') return null
  const taken = span(run.started_at, run.finished_at ?? now)
  return taken === null ? null : Math.max(0, taken)
}

export type Totals = Pick<Progress, 'read' | 'written' | 'deleted' | 'bytes'>

/** The counts of all streams together. */
export function totals(progress: Run['progress']): Totals {
  const sum: Totals = { read: 0, written: 0, deleted: 0, bytes: 0 }
  for (const stream of Object.values(progress)) {
    sum.read += stream.read
    sum.written += stream.written
    sum.deleted += stream.deleted
    sum.bytes += stream.bytes
  }
  return sum
}

/** A whole run as lists of many show it. */
export function briefOf(run: Run): RunBrief {
  const { id, job_id, trigger, fire_time, state, reason, sequence, attempt, not_before } = run
  const { queued_at, started_at, finished_at, missed_until, missed_count, error, cancel } = run
  return {
    ...{ id, job_id, trigger, fire_time, state, reason, sequence, attempt, not_before },
    ...{ queued_at, started_at, finished_at, missed_until, missed_count, error, cancel },
    ...totals(run.progress),
    removes: run.held?.removes ?? null,
    verifies: run.verified !== null,
  }
}

/** What `before` becomes as its run moves on. */
export function markOf(run: Run, before: RunMark): RunMark {
  const seconds = span(run.started_at, run.finished_at)
  return {
    id: run.id,
    state: run.state,
    at: run.started_at ?? before.at,
    seconds: seconds === null ? null : seconds / 1000,
    written: totals(run.progress).written,
  }
}

/** The rows that a held run would remove; null where it is not held. */
export function removalOf(run: Run | RunBrief): number | null {
  return 'held' in run ? (run.held?.removes ?? null) : run.removes
}

/** What a held run would remove, by stream; nothing where only the sum is known. */
export function removals(run: Run | RunBrief): { stream: string; removes: number }[] {
  const streams = 'held' in run ? run.held?.streams : null
  if (!Array.isArray(streams)) return []
  return streams.filter(
    (one: unknown): one is { stream: string; removes: number } =>
      typeof one === 'object' && one !== null && 'stream' in one && 'removes' in one,
  )
}

const TRIGGERS: Record<Run['trigger'], string> = {
  schedule: 'by schedule',
  manual: 'by hand',
  retry: 'as a retry',
  backfill: 'as a backfill',
}

export function triggerWords(trigger: Run['trigger']): string {
  return TRIGGERS[trigger]
}

/** The first line of what went wrong. */
export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
