import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Run } from '../../api/wire'
import { useNow } from '../../format/now'
import { count, plural } from '../../format/number'
import { faultOf, type Fault } from '../../format/fault'
import { removals } from '../../format/run'
import { clock, relative } from '../../format/time'
import { Icon } from '../Icon'
import { State, StateGlyph } from '../State'
import { Time } from '../Time'

/** The two ends of a run's job; null while they are not known. */
export type Ends = { source: string; destination: string } | null

/** What a person should know of a run before anything else: why it failed, waits, or is about to end. */
export function Notices({ run, ends, deeds }: { run: Run; ends: Ends; deeds?: ReactNode }) {
  const fault = faultOf(run)
  return (
    <>
      {run.cancel && run.state !== 'cancelled' && <Cancelling run={run} />}
      {run.state === 'held' && <Held run={run} deeds={deeds} />}
      {fault && run.error && <Faulty run={run} fault={fault} ends={ends} />}
      {!run.error && run.reason && run.state !== 'held' && run.state !== 'cancelled' && <p className="notice calm">{run.reason}</p>}
    </>
  )
}

function Faulty({ run, fault, ends }: { run: Run; fault: Fault; ends: Ends }) {
  const heals = fault.kind === 'retrying'
  const { error } = run
  return (
    <div className={`fault ${heals ? 'wait' : 'bad'}`} role={heals ? 'status' : 'alert'}>
      <Icon name={heals ? 'again' : 'alert'} size={18} />
      <strong>{heals ? <Again run={run} /> : fault.title}</strong>
      <p>{error?.message}</p>
      <p className="small muted">
        <span className="mono">
          {error?.type}
          {error?.stream && ` in ${error.stream}`}
        </span>
        {fault.advice && <> · {fault.advice}</>}
      </p>
      <p className="fault-links small">
        <Mend run={run} fault={fault} ends={ends} />
        <Link href={`/runs/${run.id}?tab=log&line=error`}>Its first error in the log</Link>
      </p>
    </div>
  )
}

/** When the next attempt comes, counted down. */
function Again({ run }: { run: Run }) {
  const now = useNow()
  const due = run.not_before ? Date.parse(run.not_before) : 0
  if (run.state === 'running') return <>Attempt {run.attempt} is under way after one that failed</>
  if (due <= now || run.not_before === null) return <>Attempt {run.attempt + 1} starts as soon as a slot is free</>
  return (
    <>
      Attempt {run.attempt + 1} starts {relative(due, now)}, at {clock(run.not_before, now)}
    </>
  )
}

/** The place where a person mends it. */
function Mend({ run, fault, ends }: { run: Run; fault: Fault; ends: Ends }) {
  if (fault.kind === 'differs') return <Link href={`/jobs/${run.job_id}?tab=streams`}>Verify with repair</Link>
  if (fault.place === 'job') {
    const field = fault.field ? `&field=${encodeURIComponent(fault.field)}` : ''
    return <Link href={`/jobs/${run.job_id}?tab=settings${field}`}>Edit the job{fault.field && ` at ${fault.field}`}</Link>
  }
  if (!ends || fault.kind === 'platform' || fault.kind === 'retrying') return null
  const sides = fault.place === null ? (['source', 'destination'] as const) : [fault.place]
  return sides.map((side) => (
    <Link key={side} href={`/connections/${ends[side]}`}>
      Look at the {side}, {ends[side]}
    </Link>
  ))
}

/** What a held run would remove, by stream; `deeds` say yes or no to it. */
function Held({ run, deeds }: { run: Run; deeds: ReactNode }) {
  const streams = removals(run)
  return (
    <div className="fault wait" role="status">
      <StateGlyph state="held" size={18} />
      <strong>
        It would remove {run.held ? plural(run.held.removes, 'row') : 'rows'} and waits for a person
      </strong>
      <p>{run.reason}</p>
      {streams.length > 0 && (
        <ul className="small held-streams">
          {streams.map(({ stream, removes }) => (
            <li key={stream}>
              <strong>{stream}</strong>: {plural(removes, 'row')} removed from its target
            </li>
          ))}
        </ul>
      )}
      <p className="small muted">
        Approve: it runs again, once, and may remove up to {run.held ? count(run.held.removes) : 'that many'}. Discard: nothing is
        removed, and it ends as cancelled. Until then the job does not run.
      </p>
      {deeds && <div className="fault-deeds">{deeds}</div>}
    </div>
  )
}

/** A cancel on its way: asked, stopping, ended. */
function Cancelling({ run }: { run: Run }) {
  const ended = run.finished_at !== null
  return (
    <div className="notice calm" role="status">
      <ol className="stages" aria-label="Cancel">
        <li aria-current={run.state === 'queued' ? 'step' : undefined}>
          <Icon name="check" size={13} /> Asked by {run.cancel?.by}, <Time at={run.cancel?.at} />
        </li>
        <li aria-current={ended ? undefined : 'step'}>
          {ended ? (
            <>
              <Icon name="check" size={13} /> Stopped
            </>
          ) : (
            <>
              <StateGlyph state="running" size={13} /> Stopping: the batch at hand is written and its checkpoint saved
            </>
          )}
        </li>
        <li aria-current={ended ? 'step' : undefined} className={ended ? undefined : 'muted'}>
          {ended ? (
            <>
              It ended before the cancel reached it: <State state={run.state} />
            </>
          ) : (
            'Cancelled'
          )}
        </li>
      </ol>
    </div>
  )
}
