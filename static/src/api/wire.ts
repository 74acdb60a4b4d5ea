// Made by `python -m app.api.typescript` from app/api/{wire,questions}.py. Do not edit.

export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

export type Step = 'name' | 'tcp' | 'tls' | 'login' | 'permission' | 'query'

export type CatchUp = 'latest' | 'all' | 'none'

export type Kind = 'late_job' | 'unplanned_job' | 'unreadable_job' | 'unclaimed_run' | 'waiting_runs' | 'no_leader' | 'silent_instance'

export type Mode = 'full' | 'incremental'

export type Overlap = 'skip' | 'queue'

export type RunState = 'queued' | 'running' | 'held' | 'succeeded' | 'failed' | 'cancelled' | 'skipped' | 'missed'

export type StreamState = 'pending' | 'running' | 'succeeded' | 'failed' | 'held' | 'cancelled'

export type Trigger = 'schedule' | 'manual' | 'retry' | 'backfill'

export type Write = 'replace' | 'append' | 'upsert' | 'mirror'

/** Who asked for it, and when. */
export interface Asked {
  at: string
  by: string
}

export interface Attempt {
  attempt: number
  instance: string | null
  token: number
  started_at: string | null
  ended_at: string | null
  outcome: string
  error: RunError | null
}

export interface Claim {
  instance: string | null
  token: number
  expires_at: string | null
}

export interface Column {
  name: string
  type: string
  nullable: boolean
}

/** The connector's settings stand beside these; secrets are asterisks. */
export interface Connection {
  id: string
  type: string
  owner: string | null
  created_at: string
  updated_at: string
  revision: number
  [more: string]: unknown
}

/** A JSON merge patch of a connection: null removes a setting. */
export interface ConnectionChange {
  [more: string]: unknown
}

/** `type`, and the settings of that connector beside it; the shape of the declarative file. */
export interface ConnectionDraft {
  type: string
  [more: string]: unknown
}

export interface ConnectionList {
  items: Connection[]
  next: string | null
}

/** `step` is the last one that was tried: the one that failed, where `ok` is false. */
export interface ConnectionTest {
  ok: boolean
  ms: number
  step: Step
  message: string
  hint: string | null
}

/** `settings` is a JSON schema; a property with `secret` is never returned. */
export interface Connector {
  name: string
  settings: Record<string, unknown>
  secrets: string[]
}

export interface ConnectorList {
  items: Connector[]
  next: string | null
}

export interface Fault {
  field: string
  message: string
}

export interface FireTimes {
  next: string[]
  past: PastFireTime[]
}

/** The largest part of a target that one run may remove, as "20%"; false turns a guard off. */
export interface Guards {
  max_delete: string | false
  max_shrink: string | false
}

export interface Instance {
  id: string
  host: string
  pid: number
  version: string
  mode: string
  started_at: string
  seen_at: string
  active_runs: string[]
  live: boolean
}

export interface InstanceList {
  items: Instance[]
  terms: Term[]
  next: string | null
}

/** `words` is the schedule in words; `owner` the file that says what this job is. */
export interface Job {
  id: string
  source: string
  destination: string
  streams: StreamSpec[]
  schedule: Schedule | null
  words: string
  retry: Retry
  timeout: string | null
  catch_up: CatchUp
  overlap: Overlap
  guards: Guards
  verify: boolean
  enabled: boolean
  owner: string | null
  next_fire_time: string | null
  created_at: string
  updated_at: string
  revision: number
  last_run: Run | null
  recent_runs: Run[]
}

/** A JSON merge patch of a job: null takes a field back to its default. */
export interface JobChange {
  [more: string]: unknown
}

/** What a person says of a job; the shape of the declarative file. */
export interface JobDraft {
  source: string
  destination: string
  streams: StreamSpec[]
  schedule?: Schedule | null
  retry?: Retry
  timeout?: string | null
  catch_up?: CatchUp
  overlap?: Overlap
  guards?: Guards | false
  verify?: boolean
  enabled?: boolean
  [more: string]: unknown
}

export interface JobList {
  items: Job[]
  next: string | null
}

export interface Lease {
  holder: string | null
  instance: string | null
  token: number
  acquired_at: string | null
  renewed_at: string | null
  expires_at: string | null
  live: boolean
}

export interface LogLine {
  n: number
  at: string
  level: LogLevel
  message: string
  stream: string | null
  attempt: number | null
}

/** `next` is the number to ask `after` for the lines that follow; null at the end of what was said so far. */
export interface LogPage {
  items: LogLine[]
  next: string | null
}

export interface Login {
  password: string
}

export interface NewConnection {
  type: string
  id: string
  [more: string]: unknown
}

export interface NewJob {
  source: string
  destination: string
  streams: StreamSpec[]
  schedule?: Schedule | null
  retry?: Retry
  timeout?: string | null
  catch_up?: CatchUp
  overlap?: Overlap
  guards?: Guards | false
  verify?: boolean
  enabled?: boolean
  id: string
  [more: string]: unknown
}

export interface NextFireTime {
  job_id: string
  fire_time: string
}

/** A fire time that a clock change touches, and how. */
export interface Note {
  fire_time: string
  note: string
}

/** What became of a fire time; `until` and `count` where one document stands for a gap. */
export interface PastFireTime {
  fire_time: string
  state: RunState
  run_id: string
  reason: string | null
  until: string | null
  count: number | null
}

export interface Preview {
  columns: string[]
  rows: Record<string, unknown>[]
}

/** RFC 9457. `current` is the document as it stands, where a revision was stale. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string | null
  errors: Fault[]
  current: Record<string, unknown> | null
}

export interface Progress {
  state: StreamState
  read: number
  written: number
  deleted: number
  bytes: number
  checkpoint: unknown
  total: number | null
}

export interface Readiness {
  ready: boolean
  reasons: string[]
}

/** What a held run would remove from its destination. */
export interface Removal {
  removes: number
  [more: string]: unknown
}

/** Which stream is read from its beginning again; all of them where none is named. */
export interface Reset {
  stream?: string | null
}

export interface ResetDone {
  streams: string[]
}

export interface Retry {
  attempts: number
  backoff: string
  max_backoff: string
}

export interface Run {
  id: string
  job_id: string
  trigger: Trigger
  fire_time: string | null
  state: RunState
  reason: string | null
  sequence: number
  attempt: number
  not_before: string | null
  claim: Claim
  lease_token: number | null
  queued_at: string
  started_at: string | null
  finished_at: string | null
  progress: Record<string, Progress>
  error: RunError | null
  attempts: Attempt[]
  cancel: Asked | null
  retry_of: string | null
  held: Removal | null
  approved: Asked | null
  verified: Record<string, unknown> | null
  missed_until: string | null
  missed_count: number | null
}

export interface RunError {
  type: string
  message: string
  stream: string | null
}

export interface RunList {
  items: Run[]
  next: string | null
}

/** Exactly one of `cron` and `every` (as "15m"). */
export interface Schedule {
  cron: string | null
  every: string | null
  timezone: string
  jitter: string | null
}

/** Exactly one of `cron` and `every`; `after` is exclusive, the database's now where it is left out. */
export interface SchedulePreview {
  cron?: string | null
  every?: string | number | null
  timezone?: string
  jitter?: string | number | null
  after?: string | null
  count?: number
}

export interface SchedulePreviewed {
  words: string
  fire_times: string[]
  notes: Note[]
}

export interface Session {
  who: string
}

/** `instance` is the worker in the process that answers; null where none is inside. */
export interface Status {
  version: string
  mode: string
  instance: string | null
  lease: Lease | null
  queue: Record<string, number>
  queue_depth: number
  running: Run[]
  next_fire_times: NextFireTime[]
  warnings: Warning[]
}

/** `rows` may be an estimate. */
export interface Stream {
  name: string
  columns: Column[]
  key: string[]
  cursor: string | null
  rows: number | null
}

export interface StreamList {
  items: Stream[]
  next: string | null
}

/** One stream of a job; the connector's own options stand beside these. */
export interface StreamSpec {
  name: string
  mode: Mode
  write: Write
  target: string | null
  cursor: string | null
  key: string[]
  lookback: string | number | null
  columns: string[] | null
  exclude: string[]
  rename: Record<string, string>
  hash: string[]
  metadata: ('_synced_at' | '_run_id')[]
  [more: string]: unknown
}

export interface Term {
  id: number
  holder: string
  instance: string
  host: string
  pid: number
  gained_at: string
  ended_at: string | null
  how: string | null
}

/** Which stream goes back to what it was before its last replace; all that can where none is named. */
export interface Undo {
  stream?: string | null
}

/** Which stream is compared, all where none is named; with `repair` the rows that differ are sent again. */
export interface Verify {
  stream?: string | null
  repair?: boolean
}

/** What the watchdog found wrong; `subject` is the id of the job, run or instance. */
export interface Warning {
  kind: Kind
  subject: string
  since: string | null
  message: string
}
