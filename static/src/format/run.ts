import type { Progress, Run, RunState } from '../api/wire'
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
