/** Records for the tests of formats and parts: each is whole, and `over` says what this test is about. */
import type { Alert, AlertEvent, Delivery, Instance, Job, Progress, Run, RunBrief, RunMark } from './wire'

export function sampleProgress(over: Partial<Progress> = {}): Progress {
  return {
    state: 'succeeded',
    read: 10,
    written: 10,
    deleted: 0,
    bytes: 100,
    checkpoint: null,
    total: null,
    last_write_at: null,
    spent: { source: 0, transform: 0, destination: 0, checkpoint: 0 },
    ...over,
  }
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
    attempt_started_at: '2026-11-24T12:00:01Z',
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

export function sampleBrief(over: Partial<RunBrief> = {}): RunBrief {
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
    queued_at: '2026-11-24T12:00:00Z',
    started_at: '2026-11-24T12:00:01Z',
    finished_at: '2026-11-24T12:00:03Z',
    missed_until: null,
    missed_count: null,
    error: null,
    cancel: null,
    read: 10,
    written: 10,
    deleted: 0,
    bytes: 100,
    removes: null,
    verifies: false,
    ...over,
  }
}

export function sampleMark(over: Partial<RunMark> = {}): RunMark {
  return { id: 'a1', state: 'succeeded', at: '2026-11-24T12:00:01Z', seconds: 2, written: 10, ...over }
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
    standing: 'in_step',
    data_as_of: '2026-11-24T12:00:01Z',
    typical_seconds: 2,
    rows_per_day: 14_400,
    last_run: null,
    recent_runs: [],
    ...over,
  }
}

export function sampleInstance(over: Partial<Instance> = {}): Instance {
  return {
    id: 'i1',
    host: 'alpha',
    pid: 41,
    version: '0.1.0',
    mode: 'production',
    started_at: '2026-11-24T11:00:00Z',
    seen_at: '2026-11-24T12:00:00Z',
    active_runs: [],
    live: true,
    slots: 4,
    rss_bytes: 98_000_000,
    draining: false,
    ...over,
  }
}

export function sampleDelivery(over: Partial<Delivery> = {}): Delivery {
  return { waiting: 0, given_up: 0, last_sent_at: null, last_error: null, last_error_at: null, next_try_at: null, ...over }
}

export function sampleAlert(over: Partial<Alert> = {}): Alert {
  return {
    id: 'team-chat',
    url: '********',
    host: 'chat.example',
    format: 'json',
    secret: null,
    jobs: null,
    missing_jobs: [],
    failures: 1,
    recovery: true,
    held: true,
    stale: null,
    enabled: true,
    owner: null,
    created_at: '2026-11-24T11:00:00Z',
    updated_at: '2026-11-24T11:00:00Z',
    revision: 1,
    delivery: sampleDelivery(),
    ...over,
  }
}

export function sampleEvent(over: Partial<AlertEvent> = {}): AlertEvent {
  return {
    id: 'team-chat/orders/failing/0',
    alert: 'team-chat',
    job_id: 'orders',
    kind: 'failing',
    run_id: 'a1',
    at: '2026-11-24T12:00:00Z',
    text: 'orders failed: the table is not there',
    state: 'sent',
    sent_at: '2026-11-24T12:00:01Z',
    tries: 1,
    note: null,
    ...over,
  }
}
