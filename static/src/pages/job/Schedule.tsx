import { Link } from 'wouter'
import { useSchedulePreview } from '../../api/job'
import { useFireTimes, useRuns } from '../../api/queries'
import type { Job, PastFireTime, RunState as State } from '../../api/wire'
import { documentOf } from '../../forms/job'
import { count, plural } from '../../format/number'
import { HERE } from '../../format/zone'
import { activeAt, type Spanned } from '../../format/active'
import { Blank } from '../../parts/Blank'
import { FireTimesTable } from '../../parts/FireTimes'
import { questionOf, SchedulePreview } from '../../parts/form/SchedulePreview'
import { Loaded } from '../../parts/Loaded'
import { Panel } from '../../parts/Panel'
import { State as Pill } from '../../parts/State'
import { BothTimes } from '../../parts/Time'

const NEXT = 10
const PAST = 20

/** When it runs, in words and in times; and what became of each fire time that is past. */
export function ScheduleTab({ job }: { job: Job }) {
  const times = useFireTimes(job.id, PAST)
  const runs = useRuns({ job: job.id, limit: 100 })
  return (
    <>
      <Panel title="Schedule" note={job.words}>
        <div className="panel-body">
          {!job.schedule ? (
            <p className="muted">It has no fire times: it runs when someone asks for it.</p>
          ) : !job.enabled ? (
            <>
              <p className="notice calm">The job is disabled: none of its fire times becomes a run. If it were enabled:</p>
              <SchedulePreview draft={documentOf(job)} count={NEXT} typical={job.typical_seconds} self={job.id} />
            </>
          ) : (
            <Next job={job} next={times.data?.next.slice(0, NEXT)} />
          )}
        </div>
      </Panel>
      <Panel title="Why didn’t it run?" note="past fire times, newest first">
        <Loaded asked={times} lines={6}>
          {({ past }) =>
            past.length === 0 ? (
              <Blank icon="runs" title="No fire time is past">
                <p>Each one will be listed here with what became of it, and why.</p>
              </Blank>
            ) : (
              <Past past={past} runs={runs.data?.items ?? []} />
            )
          }
        </Loaded>
      </Panel>
    </>
  )
}

/** The true next fire times; what a clock change does to them is told by the preview of the same schedule. */
function Next({ job, next }: { job: Job; next: string[] | undefined }) {
  const preview = useSchedulePreview(questionOf(documentOf(job), NEXT))
  const zone = job.schedule?.timezone ?? 'UTC'
  if (next?.length === 0) return <p className="muted">No fire time is left.</p>
  return (
    <div className="preview">
      <p>
        The next {plural(next?.length ?? NEXT, 'fire time')} in the job’s zone, {zone}
        {zone !== HERE && `, and in yours, ${HERE}`}:
      </p>
      <Loaded asked={{ data: next, error: preview.error, refetch: preview.refetch }} lines={NEXT}>
        {(known) => (
          <div className="table-box">
            <FireTimesTable times={known} notes={preview.data?.notes ?? []} zone={zone} label="Next fire times" />
          </div>
        )}
      </Loaded>
    </div>
  )
}

function Past({ past, runs }: { past: PastFireTime[]; runs: Spanned[] }) {
  return (
    <table aria-label="Past fire times">
      <thead>
        <tr>
          <th scope="col">Fire time</th>
          <th scope="col">Became</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {past.map((one) => (
          <tr key={one.fire_time}>
            <th scope="row">
              <BothTimes at={one.fire_time} />
              {one.until && one.count !== null && (
                <span className="under">
                  and {plural(one.count - 1, 'more', 'more')} until <BothTimes at={one.until} />
                </span>
              )}
            </th>
            <td>
              <Pill state={one.state} />
            </td>
            <td className="sentence">
              <Why fired={one} runs={runs} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Why({ fired, runs }: { fired: PastFireTime; runs: Spanned[] }) {
  const own = <Link href={`/runs/${fired.run_id}`}>its run</Link>
  if (fired.state === 'skipped') {
    const active = activeAt(runs, fired.fire_time)
    return (
      <>
        {SAID.skipped} {fired.reason && <span className="muted">({fired.reason})</span>}{' '}
        {active && (
          <>
            Then <Link href={`/runs/${active.id}`}>run #{count(active.sequence)}</Link> was active.
          </>
        )}
      </>
    )
  }
  if (fired.state === 'missed') {
    return (
      <>
        {SAID.missed} {fired.reason && <span className="muted">({fired.reason})</span>}
      </>
    )
  }
  return (
    <>
      {SAID[fired.state]} {fired.reason && <span className="muted">{fired.reason}. </span>}
      See {own}.
    </>
  )
}

const SAID: Record<State, string> = {
  queued: 'It waits for an instance with a free slot.',
  running: 'It runs now.',
  held: 'It ran, and waits for a person’s yes.',
  succeeded: 'It ran.',
  failed: 'It ran, and failed.',
  cancelled: 'It was cancelled.',
  skipped: 'Its turn was taken by another run of the job.',
  missed: 'Nobody led at that time, so nothing could start it.',
}
