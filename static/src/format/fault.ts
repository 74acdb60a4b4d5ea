/** What kind of fault ended an attempt: who can mend it, and where. */
import type { Run, RunError } from '../api/wire'

export type FaultKind = 'retrying' | 'change' | 'differs' | 'away' | 'platform'

// Families of worker/errors.py; the server sorts what waits in the same way (app/api/attention.py).
const OF_THE_JOB = new Set(['BadInput', 'StreamNotFound', 'Unsupported', 'NotFound', 'Unreadable'])
const OF_AN_END = new Set(['BadValue', 'BadData', 'MissingExtra', 'Permanent', 'Conflict'])
const AWAY = new Set(['SourceUnavailable', 'DestinationUnavailable', 'TimedOut', 'Transient'])

const AWAY_TITLES: Partial<Record<string, string>> = {
  SourceUnavailable: 'The source could not be read',
  DestinationUnavailable: 'The destination could not be written',
  TimedOut: 'It took longer than it may',
}

export interface Fault {
  kind: FaultKind
  title: string
  /** What to do about it. */
  advice: string
  /** Where it is mended: the job's settings, or the connection at one of its ends. */
  place: 'job' | 'source' | 'destination' | null
  /** Of the job's settings. */
  field: string | null
}

export function faultOf(run: Pick<Run, 'state' | 'error'>): Fault | null {
  const { error } = run
  if (!error) return null
  if (run.state === 'queued' || run.state === 'running') {
    return { kind: 'retrying', title: 'An attempt failed; it tries again by itself', advice: '', place: null, field: null }
  }
  const { type } = error
  if (type === 'Differs') {
    const advice = 'Verify with repair sends the rows that differ again.'
    return { kind: 'differs', title: 'Both sides differ', advice, place: 'job', field: null }
  }
  if (OF_THE_JOB.has(type)) {
    const advice = 'Trying again cannot help until the job is changed.'
    return { kind: 'change', title: 'The job needs a change', advice, place: 'job', field: fieldOf(error) }
  }
  if (OF_AN_END.has(type)) {
    const advice = 'Trying again cannot help until the data, or the way to it, is changed.'
    return { kind: 'change', title: 'Something at one end needs a change', advice, place: sideOf(type), field: null }
  }
  if (AWAY.has(type)) {
    const advice = 'Its attempts are used up. Retry when the other side answers again; a job with a schedule tries at its next fire time.'
    const place = type === 'SourceUnavailable' ? 'source' : type === 'DestinationUnavailable' ? 'destination' : 'job'
    return { kind: 'away', title: AWAY_TITLES[type] ?? 'One side could not be reached', advice, place, field: type === 'TimedOut' ? 'timeout' : null }
  }
  const advice = 'This is not a fault of the job: an instance, its database or syncworker itself failed. Retry goes on from the checkpoint; the log says more.'
  return { kind: 'platform', title: 'syncworker could not go on', advice, place: null, field: null }
}

function sideOf(type: string): Fault['place'] {
  return type === 'BadData' ? 'source' : type === 'BadValue' ? 'destination' : null
}

/** The setting that a message names first, as "streams.orders.cursor: …"; the stream where it names none. */
function fieldOf({ message, stream }: RunError): string | null {
  return /^([a-z][\w.[\]-]*): /.exec(message)?.[1] ?? stream
}
