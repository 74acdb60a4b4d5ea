import { Link } from 'wouter'
import { useAhead, useSchedulePreview } from '../../api/job'
import { meetings } from '../../forms/overlap'
import { get, text, type Json } from '../../forms/path'
import { plural } from '../../format/number'
import { duration } from '../../format/time'
import { Skeleton } from '../Blank'
import { FireTimesTable } from '../FireTimes'
import { wayOf } from './ScheduleFields'

interface SchedulePreviewProps {
  draft: Json
  count?: number
  /** Seconds that a run of it takes, where there were any. */
  typical?: number | null
  /** The job itself, which does not overlap with itself. */
  self?: string | null
}

/** What a schedule means: in words, its next fire times, and who else runs then. */
export function SchedulePreview({ draft, count = 5, typical = null, self = null }: SchedulePreviewProps) {
  const asked = questionOf(draft, count)
  const preview = useSchedulePreview(asked)
  const times = preview.data?.fire_times ?? []
  const ahead = useAhead(text(draft, 'source') || null, 'source', horizon(times))
  if (wayOf(draft) === 'hand') return <p className="muted">It has no fire times: it runs when someone asks for it.</p>
  if (preview.error) {
    return (
      <p className="fault-text" role="alert">
        {preview.error.message}
      </p>
    )
  }
  if (!preview.data) return asked ? <Skeleton lines={count} /> : null
  const met = meetings(times, ahead.data?.items ?? [], typical, self)
  return (
    <div className="preview">
      <p>
        <strong>{capital(preview.data.words)}.</strong> The next {plural(times.length, 'fire time')}:
      </p>
      <div className="table-box">
        <FireTimesTable times={times} notes={preview.data.notes} zone={text(draft, 'schedule.timezone') || 'UTC'} label="Next fire times" />
      </div>
      <p className="muted small">
        {typical === null
          ? 'How long a run takes is not known before the first one.'
          : `A run of it typically takes ${duration(typical)}.`}{' '}
        {ahead.data &&
          (met.length === 0
            ? `No other job is expected to read from ${text(draft, 'source')} at these times.`
            : `At these times ${met.length === 1 ? 'another job is' : 'other jobs are'} expected to read from ${text(draft, 'source')}:`)}
      </p>
      {met.length > 0 && (
        <ul className="meetings small">
          {met.slice(0, 5).map(({ job_id, times: often, seconds }) => (
            <li key={job_id}>
              <Link href={`/jobs/${job_id}`}>{job_id}</Link> at {often} of {times.length}
              {seconds !== null && `, typically for ${duration(seconds)}`}
            </li>
          ))}
          {met.length > 5 && <li>and {plural(met.length - 5, 'other')}</li>}
        </ul>
      )}
    </div>
  )
}

export function questionOf(draft: Json, count: number) {
  const [cron, every] = [text(draft, 'schedule.cron'), text(draft, 'schedule.every')]
  if (!cron && !every) return null
  const timezone = text(draft, 'schedule.timezone') || 'UTC'
  const jitter = get(draft, 'schedule.jitter')
  return { ...(cron ? { cron } : { every }), timezone, count, ...(typeof jitter === 'string' ? { jitter } : {}) }
}

const WEEK = 7 * 86_400_000

/** Until when others are looked at: just past the last fire time, and no more than a week. */
function horizon(times: string[]): string | null {
  const last = times.at(-1)
  if (last === undefined) return null
  return new Date(Math.min(Date.parse(last) + 60_000, Date.parse(times[0] ?? last) + WEEK)).toISOString()
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
