/** Records for the tests of formats and parts: each is whole, and `over` says what this test is about. */
import type { Job, Progress, Run } from './wire'

export function sampleProgress(over: Partial<Progress> = {}): Progress {
  return { state: 'succeeded', read: 10, written: 10, deleted: 0, bytes: 100, checkpoint: null, total: null, ...over }
}

export function sampleRun(over: Partial<Run> = {}): Run {
  return {
    id: 'a1',
    job_id: 'orders',
    trigger: 'schedule',
    fire_time: '2026-11-24T12:00:00Z',
    state: 'succeeded',
    reason: null,
    sequence: 1,
    attempt: 1,
    not_before: null,
    claim: { instance: null, token: 1, expires_at: null },
    lease_token: 1,
    queued_at: '2026-11-24T12:00:00Z',
    started_at: '2026-11-24T12:00:01Z',
    finished_at: '2026-11-24T12:00:03Z',
    progress: { orders: sampleProgress() },
    error: null,
    attempts: [],
    cancel: null,
    retry_of: null,
    held: null,
    approved: null,
    missed_until: null,
    missed_count: null,
    verified: null,
    ...over,
  }
}

export function sampleJob(over: Partial<Job> = {}): Job {
  return {
    id: 'orders',
    source: 'shop',
    destination: 'lake',
    streams: [],
    schedule: { cron: '* * * * *', every: null, timezone: 'UTC', jitter: null },
    words: 'every minute',
    retry: { attempts: 3, backoff: '10s', max_backoff: '10m' },
    timeout: null,
    catch_up: 'latest',
    overlap: 'skip',
    guards: { max_delete: '20%', max_shrink: '20%' },
    enabled: true,
    verify: false,
    owner: null,
    next_fire_time: '2026-11-24T12:01:00Z',
    created_at: '2026-11-24T11:00:00Z',
    updated_at: '2026-11-24T11:00:00Z',
    revision: 1,
    last_run: null,
    recent_runs: [],
    ...over,
  }
}
