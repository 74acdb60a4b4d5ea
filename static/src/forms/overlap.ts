/** Which other jobs are likely to run when this one does. */
import type { TimelineRow } from '../api/wire'

export interface Meeting {
  job_id: string
  /** How many of the fire times fall into a predicted run of it. */
  times: number
  seconds: number | null
}

/** Where nothing is known of how long a run takes. */
const ASSUMED_SECONDS = 60

/** The jobs of `rows` whose predicted runs meet one of ours; `own` is how long ours take, where that is known. */
export function meetings(fireTimes: string[], rows: TimelineRow[], own: number | null, self: string | null): Meeting[] {
  const ours = fireTimes.map((at) => interval(Date.parse(at), 1, own))
  return rows
    .filter(({ job_id }) => job_id !== self)
    .map(({ job_id, ahead, typical_seconds }) => {
      const theirs = ahead.map(({ start, count, seconds }) => interval(Date.parse(start), count, seconds))
      const times = ours.filter(([from, until]) => theirs.some(([begin, end]) => begin < until && from < end)).length
      return { job_id, times, seconds: typical_seconds }
    })
    .filter(({ times }) => times > 0)
    .sort((one, other) => other.times - one.times || one.job_id.localeCompare(other.job_id))
}

function interval(start: number, count: number, seconds: number | null): [from: number, until: number] {
  return [start, start + count * (seconds ?? ASSUMED_SECONDS) * 1_000]
}
