// Made by `python -m app.api.typescript` from app/api/{wire,questions}.py. Do not edit.

export type AlertKind = 'failing' | 'recovered' | 'held' | 'stale' | 'fresh'

export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

export type CatchUp = 'latest' | 'all' | 'none'

export type Format = 'json' | 'slack'

export type How = 'token' | 'session' | 'anyone' | 'cli' | 'file'

export type Kind = 'late_job' | 'unplanned_job' | 'unreadable_job' | 'unclaimed_run' | 'waiting_runs' | 'no_leader' | 'silent_instance' | 'jobs_file' | 'undelivered_alert'

export type Mode = 'full' | 'incremental'

export type Overlap = 'skip' | 'queue'

export type RunState = 'queued' | 'running' | 'held' | 'succeeded' | 'failed' | 'cancelled' | 'skipped' | 'missed'

export type Scope = 'read' | 'operate' | 'admin'

export type Standing = 'held' | 'failed' | 'late' | 'retrying' | 'running' | 'queued' | 'cancelled' | 'paused' | 'new' | 'in_step'

export type Step = 'name' | 'tcp' | 'tls' | 'login' | 'permission' | 'query'

export type StreamState = 'pending' | 'running' | 'succeeded' | 'failed' | 'held' | 'cancelled'

export type Trigger = 'schedule' | 'manual' | 'retry' | 'backfill'

export type Write = 'replace' | 'append' | 'upsert' | 'mirror'

/** `count` fire times from `start` on; `seconds`: what one is likely to take; `note`: of a clock change. */
export interface Ahead {
  start: string
  count: number
  seconds: number | null
  note: string | null
}

/** `url` and `secret` are asterisks, or the references that they are made of; `host` is where they go, if known. `jobs` null: all; `missing_jobs` are those named that are not there any more. `failures` null: never told; `stale` is a duration as "2h", null: never. */
export interface Alert {
  id: string
  url: string
  host: string | null
  format: Format
  secret: string | null
  jobs: string[] | null
  missing_jobs: string[]
  failures: number | null
  recovery: boolean
  held: boolean
  stale: string | null
  enabled: boolean
  owner: string | null
  created_at: string
  updated_at: string
  revision: number
  delivery: Delivery
}

/** A JSON merge patch of an alert: null takes a field back to its default, `failures` and `stale` to never. */
export interface AlertChange {
  [more: string]: unknown
}

/** What a person says of an alert; the shape of the declarative file. `failures` null or "off": never told; so is stale data where `stale` is null. `url` and `secret` stay as they are where they are left out, or sent as they were told. */
export interface AlertDraft {
  url?: string | null
  format?: Format | null
  secret?: string | null
  jobs?: string[] | null
  failures?: number | 'off' | null
  recovery?: boolean | null
  held?: boolean | null
  stale?: string | number | null
  enabled?: boolean | null
  [more: string]: unknown
}

/** One thing that was, or is to be, told; `state` is waiting, sent or given_up, and `note` says why it is. */
export interface AlertEvent {
  id: string
  alert: string
  job_id: string
  kind: AlertKind
  run_id: string | null
  at: string
  text: string
  state: 'waiting' | 'sent' | 'given_up'
  sent_at: string | null
  tries: number
  note: string | null
}

/** Newest first; `next` is what to ask `after` for the ones before. */
export interface AlertEventPage {
  items: AlertEvent[]
  next: string | null
}

export interface AlertList {
  items: Alert[]
  next: string | null
}

/** What came of one message: `status` is what the receiver answered, null where it did not. */
export interface AlertTest {
  ok: boolean
  ms: number
  status: number | null
  message: string
}

/** An alert as it would be saved. `id`: of a saved one, whose secrets stand in for those that are left out. */
export interface AlertTrial {
  url?: string | null
  format?: Format | null
  secret?: string | null
  jobs?: string[] | null
  failures?: number | 'off' | null
  recovery?: boolean | null
  held?: boolean | null
  stale?: string | number | null
  enabled?: boolean | null
  id?: string | null
  [more: string]: unknown
}

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

export interface AuditPage {
  items: AuditRecord[]
  next: string | null
}

/** `before` and `after` have the fields that differ; null where there was, or is, nothing to show. */
export interface AuditRecord {
  id: string
  at: string
  who: string
  how: How
  scope: Scope
  token: string | null
  action: string
  subject: string
  from: string | null
  via: string
  request_id: string | null
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}

/** What ended within `seconds` from `start`; rows and bytes are those of the runs that ended. */
export interface Bucket {
  start: string
  runs: number
  failed: number
  read: number
  written: number
  deleted: number
  bytes: number
}

/** `details` are the fields that differ, old and new; `means` what follows for runs and checkpoints. `blocked` says why it cannot be done now; then nothing of the plan can. */
export interface Change {
  mark: '+' | '~' | '-'
  kind: 'connection' | 'job' | 'alert'
  id: string
  details: string[]
  means: string[]
  blocked: string | null
}

/** Where reading goes on; `value` is the connector's own, null where it is sealed, for hashed columns. */
export interface Checkpoint {
  stream: string
  value: unknown
  sealed: boolean
  run_id: string | null
}

export interface CheckpointList {
  items: Checkpoint[]
  next: string | null
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

/** `used_by`: by the connection's id; one that no job uses is not in it. */
export interface ConnectionList {
  items: Connection[]
  next: string | null
  used_by: Record<string, Users>
}

/** `step` is the last one that was tried: the one that failed, where `ok` is false. `reads` and `writes`: whether it can be a source, a destination; null where that was not found out. */
export interface ConnectionTest {
  ok: boolean
  ms: number
  step: Step
  message: string
  hint: string | null
  reads: boolean | null
  writes: boolean | null
  steps: TriedStep[]
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

/** A declarative file; `prune` deletes what it does not name. */
export interface DeclarationText {
  text: string
  prune?: boolean
}

/** How the messages of an alert fare: `waiting` and `given_up` count what is to be told, and what never was. `last_error` null: the last message arrived, or none was sent yet. `next_try_at`: where one is waited for. */
export interface Delivery {
  waiting: number
  given_up: number
  last_sent_at: string | null
  last_error: string | null
  last_error_at: string | null
  next_try_at: string | null
}

/** `streams` by name; `partial` where any of them is. */
export interface DryRun {
  streams: Record<string, StreamOutlook>
  partial: boolean
  ms: number
}

/** Which stream is looked at, all where none is named; `limit`: how many of its rows, all that fit the time. `draft`: the job as it would be saved, in place of the saved one. */
export interface DryRunOf {
  stream?: string | null
  limit?: number | null
  draft?: Record<string, unknown> | null
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

/** `slots`: runs it works on at once. `draining`: it was asked to take no more, and neither leads nor claims. */
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
  slots: number
  rss_bytes: number | null
  draining: boolean
}

export interface InstanceList {
  items: Instance[]
  terms: Term[]
  next: string | null
}

/** `words` is the schedule in words; `owner` the file that says what this job is. `data_as_of`: when the newest run began that moved all of its data. `typical_seconds` and `rows_per_day` are of the last runs that succeeded: the median, and what they wrote by the time between them. */
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
  standing: Standing
  data_as_of: string | null
  typical_seconds: number | null
  rows_per_day: number | null
  last_run: RunBrief | null
  recent_runs: RunMark[]
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

export interface JobPrinted {
  text: string
}

/** `job` is a draft, null where there are faults; `id` where the text says it. */
export interface JobRead {
  id: string | null
  job: Record<string, unknown> | null
  faults: PlacedFault[]
}

/** YAML of one job. */
export interface JobText {
  text: string
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

/** `count` lines are sought; `marks` are the numbers of the first of them and of every so many after it. `lines` is the number of the log's last line, whether it is sought or not. */
export interface LogMarks {
  count: number
  marks: number[]
  lines: number
}

/** `dropped` lines were said and not kept; the log says so where it happened. */
export interface LogOutline {
  lines: number
  levels: Record<string, number>
  first_error: number | null
  dropped: number
}

/** `next` is the number to ask `after` for the lines that follow; null at the end of what was said so far. */
export interface LogPage {
  items: LogLine[]
  next: string | null
}

/** There is one account, `admin`: `user` may be left out. */
export interface Login {
  password: string
  user?: string | null
}

/** What waits: `heals` by itself (at `heals_at`, where that is known), or needs a person. `deed` is what mends it: for `edit_job` and `edit_connection` `field` says where. */
export interface Need {
  kind: 'held' | 'misconfigured' | 'failed' | 'late' | 'stale' | 'retrying'
  job_id: string
  run: RunBrief | null
  since: string | null
  message: string
  heals: boolean
  heals_at: string | null
  deed: 'approve' | 'retry' | 'run' | 'edit_job' | 'edit_connection' | 'wait'
  field: string | null
}

/** The gravest first; `total` counts those beyond the list too, `summary` all jobs at the same moment. */
export interface NeedList {
  items: Need[]
  total: number
  summary: Summary
}

/** The runs of a job just before and after one of them; null at the ends of its history. */
export interface Neighbours {
  older: RunBrief | null
  newer: RunBrief | null
}

export interface NewAlert {
  url: string
  format?: Format | null
  secret?: string | null
  jobs?: string[] | null
  failures?: number | 'off' | null
  recovery?: boolean | null
  held?: boolean | null
  stale?: string | number | null
  enabled?: boolean | null
  id: string
  [more: string]: unknown
}

export interface NewColumn {
  name: string
  type: string
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

/** `token` is the credential. It is told here and never again. */
export interface NewToken {
  id: string
  name: string
  scope: Scope
  prefix: string
  created_at: string
  created_by: string
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
  live: boolean
  token: string
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

/** A mistake in a text; line and column count from 1. */
export interface PlacedFault {
  line: number
  column: number
  field: string
  message: string
}

/** `faults` where the text has mistakes: there is no plan then. */
export interface Plan {
  applied: boolean
  changes: Change[]
  faults: PlacedFault[]
}

export interface Preview {
  columns: string[]
  rows: Record<string, unknown>[]
}

/** A draft of a job, as it is saved. */
export interface PrintedJob {
  id: string
  job: Record<string, unknown>
}

/** RFC 9457. `current` is the document as it stands, where a revision was stale; `request_id` is in the log too. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string | null
  errors: Fault[]
  current: Record<string, unknown> | null
  request_id: string | null
}

export interface Progress {
  state: StreamState
  read: number
  written: number
  deleted: number
  bytes: number
  checkpoint: unknown
  total: number | null
  last_write_at: string | null
  spent: Spent
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

/** `started_at` is when its first attempt was claimed, `attempt_started_at` its latest. */
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
  attempt_started_at: string | null
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

/** A run in a list of many: its streams are summed up. `removes`: the rows that a held run would remove. */
export interface RunBrief {
  id: string
  job_id: string
  trigger: Trigger
  fire_time: string | null
  state: RunState
  reason: string | null
  sequence: number
  attempt: number
  not_before: string | null
  queued_at: string
  started_at: string | null
  finished_at: string | null
  missed_until: string | null
  missed_count: number | null
  error: RunError | null
  cancel: Asked | null
  read: number
  written: number
  deleted: number
  bytes: number
  removes: number | null
  verifies: boolean
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

/** A run as a mark in a row of them: `at` is when it began, or was due; `seconds` what it took, null: no end yet. */
export interface RunMark {
  id: string
  state: RunState
  at: string
  seconds: number | null
  written: number
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

/** `how` is `anyone` where no credentials are set: then everybody may all. */
export interface Session {
  who: string
  scope: Scope
  how: How
}

/** A variable as this process goes by it; of a secret `value` is "set", null where it is unset. */
export interface Setting {
  name: string
  value: string | null
  secret: boolean
}

export interface SettingList {
  items: Setting[]
  next: string | null
}

/** Runs of one state that lie closer together than a picture can show: `count` of them from `start` to `end`. `end` null: it goes on. `run_id` is the newest of them. */
export interface Span {
  run_id: string
  state: RunState
  start: string
  end: string | null
  count: number
}

/** Seconds of a stream by what it waited for: the source, our own mapping, the destination, the saved checkpoint. */
export interface Spent {
  source: number
  transform: number
  destination: number
  checkpoint: number
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

/** What the next run would do to the stream's target. A count is null where it could not be found. `partial`: not all that a run would read was read, and what is counted concerns those rows. `would_hold` is what a guard would say. `sample` is of the first rows as they would be written; `error` what keeps the stream from running. */
export interface StreamOutlook {
  target: string
  mode: Mode
  write: Write
  read: number
  would_insert: number | null
  would_update: number | null
  would_delete: number | null
  would_create: boolean
  would_add_columns: NewColumn[]
  would_hold: string | null
  from_checkpoint: boolean
  partial: boolean
  notes: string[]
  columns: string[]
  sample: Record<string, unknown>[]
  error: string | null
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

/** `standings` counts every job once; `next_fire_time` is the soonest of all. */
export interface Summary {
  jobs: number
  standings: Record<string, number>
  next_fire_time: string | null
  next_job: string | null
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

export interface Throughput {
  since: string
  until: string
  seconds: number
  items: Bucket[]
}

export interface Timeline {
  since: string
  until: string
  now: string
  items: TimelineRow[]
  next: string | null
}

export interface TimelineRow {
  job_id: string
  enabled: boolean
  source: string
  destination: string
  past: Span[]
  ahead: Ahead[]
  typical_seconds: number | null
}

/** `prefix` is how it begins, to know it by; the token itself is told once, when it is made. */
export interface Token {
  id: string
  name: string
  scope: Scope
  prefix: string
  created_at: string
  created_by: string
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
  live: boolean
}

/** `expires_in` is a duration like `30d`; a token without one lasts until it is revoked. */
export interface TokenDraft {
  name: string
  scope: Scope
  expires_in?: string | number | null
}

export interface TokenList {
  items: Token[]
  next: string | null
}

/** What the connection must be good for; where nothing is named, what its jobs use it for. */
export interface Trial {
  end?: 'source' | 'destination' | null
}

/** A connection as it would be saved. `id`: of a saved one, whose secrets stand in for those that are left out. */
export interface TrialDraft {
  type: string
  id?: string | null
  [more: string]: unknown
}

/** One step of a test; `end` where it matters for that end of a job alone. */
export interface TriedStep {
  step: Step
  ms: number
  ok: boolean
  end: 'source' | 'destination' | null
}

/** Which stream goes back to what it was before its last replace; all that can where none is named. */
export interface Undo {
  stream?: string | null
}

/** The first of the jobs that use a connection, and how many there are. */
export interface Users {
  jobs: string[]
  count: number
}

/** What the last `runs` that succeeded were like, to compare one with; null medians where there were none. */
export interface Usual {
  runs: number
  seconds: number | null
  streams: Record<string, UsualStream>
}

/** Medians of one stream's last runs that succeeded. */
export interface UsualStream {
  read: number
  written: number
  bytes: number
  spent: Spent
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
