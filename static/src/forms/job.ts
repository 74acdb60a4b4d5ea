/** A job as the document that a form and a file share: what is left out has its default. */
import type { Guards, Job, Mode, Stream, Write } from '../api/wire'
import { get, isMapping, put, text, texts, type Json } from './path'

/** What the server adds to a job that it tells; the rest is what a person said. */
const ADDED: ReadonlySet<string> = new Set<keyof Job>([
  'id',
  'words',
  'owner',
  'next_fire_time',
  'created_at',
  'updated_at',
  'revision',
  'standing',
  'data_as_of',
  'typical_seconds',
  'rows_per_day',
  'last_run',
  'recent_runs',
])

export const DEFAULTS = {
  retry: { attempts: 3, backoff: '10s', max_backoff: '10m' },
  timeout: null,
  catch_up: 'latest',
  overlap: 'skip',
  guards: { max_delete: '20%', max_shrink: '20%' },
  verify: false,
  enabled: true,
} as const

/** The document of a saved job, without what only says a default. */
export function documentOf(job: Job): Json {
  const said = Object.entries(job).filter(([name]) => !ADDED.has(name))
  const lean = bare(Object.fromEntries(said)) as Json
  for (const [name, fallback] of Object.entries(DEFAULTS)) {
    if (same(lean[name], fallback)) lean[name] = undefined
  }
  if (text(lean, 'schedule.timezone') === 'UTC') lean.schedule = put(lean.schedule, 'timezone', undefined)
  return bare(lean) as Json
}

/** Without nulls, empty lists and empty mappings: they say nothing. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare)
  if (!isMapping(value)) return value
  const said = Object.entries(value).map(([name, one]) => [name, bare(one)] as const)
  return Object.fromEntries(said.filter(([, one]) => !nothing(one)))
}

function nothing(value: unknown): boolean {
  if (value === null || value === undefined) return true
  return Array.isArray(value) ? value.length === 0 : isMapping(value) && Object.keys(value).length === 0
}

/** Whether two documents say the same, in whatever order. */
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(ordered(one)) === JSON.stringify(ordered(other))
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (!isMapping(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, ordered(value[name])]),
  )
}

/** What a stream's `mode` and `write` are when nothing is said. */
export function modeOf(stream: unknown): Mode {
  return text(stream, 'mode') === 'incremental' ? 'incremental' : 'full'
}

const WRITES: readonly string[] = ['replace', 'append', 'upsert', 'mirror'] satisfies Write[]

export function writeOf(stream: unknown): Write {
  const write = text(stream, 'write')
  return WRITES.includes(write) ? (write as Write) : 'replace'
}

/** The writes that go with a mode; the others would lose rows. */
export function writesOf(mode: Mode): Write[] {
  return mode === 'full' ? ['replace', 'append', 'upsert', 'mirror'] : ['upsert', 'append']
}

export function keyed(write: Write): boolean {
  return write === 'upsert' || write === 'mirror'
}

/** A stream as a newcomer wants it: what changed, where that can be told and found again; else all of it, swapped in. */
export function suggested(stream: Stream): Json {
  if (stream.cursor !== null && stream.key.length > 0) {
    return { name: stream.name, mode: 'incremental', cursor: stream.cursor, key: stream.key, write: 'upsert' }
  }
  return { name: stream.name, mode: 'full', write: 'replace' }
}

/** The stream in another mode or with another write, keeping what still makes sense and filling in what it then needs. */
export function changed(stream: Json, to: { mode?: Mode; write?: Write }, found: Stream | undefined): Json {
  const mode = to.mode ?? modeOf(stream)
  const fit = writesOf(mode)
  const wanted = to.write ?? writeOf(stream)
  const write = fit.includes(wanted) ? wanted : (fit[0] ?? 'replace')
  let next = put(put(stream, 'mode', mode), 'write', write)
  if (mode === 'full') next = put(put(next, 'cursor', undefined), 'lookback', undefined)
  else if (!text(next, 'cursor') && found?.cursor) next = put(next, 'cursor', found.cursor)
  if (keyed(write) && texts(next, 'key').length === 0 && found && found.key.length > 0) next = put(next, 'key', found.key)
  if (!keyed(write)) next = put(next, 'key', undefined)
  if (mode === 'full' || write !== 'upsert') next = put(next, 'lookback', undefined)
  if (write !== 'replace') next = put(next, 'undo', undefined)
  if (!keyed(write)) next = put(next, 'deleted', undefined)
  return next
}

export function streamsOf(document: unknown): Json[] {
  const streams = get(document, 'streams')
  return Array.isArray(streams) ? streams.filter(isMapping) : []
}

/** "20%", or null where that guard is off. */
export function guardOf(document: unknown, which: keyof Guards): string | null {
  const guards = get(document, 'guards')
  if (guards === false || guards === 'off') return null
  const value = get(guards, which)
  if (value === false || value === 'off') return null
  return typeof value === 'number' ? `${value * 100}%` : typeof value === 'string' ? value : DEFAULTS.guards[which]
}
