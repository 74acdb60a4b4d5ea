import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Run } from '../../api/wire'
import { useNow } from '../../format/now'
import { firstLine, isFinal } from '../../format/run'
import { goesOn, lateness, shares, stepsOf, type Gap, type Step } from '../../format/steps'
import { clock, duration, relative } from '../../format/time'
import { Icon } from '../Icon'
import { InstanceName, LeaderUnder } from '../InstanceName'
import { StateGlyph, TONES, type AnyState } from '../State'
import { Time } from '../Time'

const GAPS: Record<Gap, { words: string; look: string }> = {
  waited: { words: 'waited in the queue', look: 'gap-waited' },
  paused: { words: 'paused before the next attempt', look: 'gap-paused' },
  worked: { words: 'at work', look: 'gap-worked' },
  held: { words: 'waited for a person', look: 'gap-held' },
}

const GLYPH: Record<Step['state'], AnyState> = {
  due: 'pending',
  asked: 'cancelled',
  queued: 'queued',
  running: 'running',
  held: 'held',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
  missed: 'missed',
}

/** More than this after its fire time a run is late, in ms. */
const LATE = 2_000

/** What became of a run, instant by instant; what the time between was spent on is told and drawn. */
export function Steps({ run }: { run: Run }) {
  const now = useNow()
  const steps = stepsOf(run)
  const open = goesOn(run, steps, now)
  const late = lateness(run)
  return (
    <div className="panel-body">
      <Band run={run} steps={steps} now={now} />
      <ol className="steps" aria-label="What became of this run">
        {steps.map((step, index) => (
          <li key={step.key}>
            {step.gap && step.gap.ms > 0 && <GapLine kind={step.gap.kind} ms={step.gap.ms} />}
            <span className={`step ${TONES[GLYPH[step.state]]}`}>
              {step.state === 'running' && (index < steps.length - 1 || isFinal(run)) ? (
                <Icon name="play" size={15} />
              ) : (
                <StateGlyph state={GLYPH[step.state]} />
              )}
              <span className="step-words">
                <strong>{step.title}</strong>
                <StepMore step={step} run={run} late={late} />
              </span>
              <span className="step-at">
                {clock(step.at, now)} <Time at={step.at} />
              </span>
            </span>
          </li>
        ))}
        {open && (
          <li>
            <GapLine kind={open.kind} ms={open.ms} going />
            <Coming run={run} now={now} />
          </li>
        )}
      </ol>
    </div>
  )
}

function GapLine({ kind, ms, going = false }: { kind: Gap; ms: number; going?: boolean }) {
  return (
    <span className={`gap ${GAPS[kind].look}`}>
      {duration(ms / 1000)} {GAPS[kind].words}
      {going && ' so far'}
    </span>
  )
}

function StepMore({ step, run, late }: { step: Step; run: Run; late: number | null }) {
  const parts: ReactNode[] = []
  if (step.state === 'due') {
    parts.push(<Link key="ticks" href={`/jobs/${run.job_id}?tab=schedule`}>fire times of the job</Link>)
    if (run.missed_count !== null && run.missed_count > 1) parts.push(`the first of ${run.missed_count}`)
  }
  if (step.key === 'queued') {
    if (late !== null && late > LATE) parts.push(`${duration(late / 1000)} late`)
    if (run.lease_token !== null && run.trigger === 'schedule') parts.push(<span key="by">by <LeaderUnder token={run.lease_token} /></span>)
    else if (step.detail) parts.push(step.detail)
  } else if (step.detail) parts.push(<span key="detail" className="clamped">{firstLine(step.detail)}</span>)
  if (step.instance) parts.push(<span key="on">by <InstanceName id={step.instance} /></span>)
  if (step.token !== null) parts.push(`claim token ${step.token}`)
  if (step.error && step.error.message !== step.detail) parts.push(<span key="error" className="bad clamped">{firstLine(step.error.message)}</span>)
  return parts.map((part, index) => (
    <span key={index} className="muted">
      {part}
    </span>
  ))
}

/** What is to come of a run that is not at its end. */
function Coming({ run, now }: { run: Run; now: number }) {
  const due = run.state === 'queued' && run.not_before ? Date.parse(run.not_before) : 0
  const words =
    run.state === 'held'
      ? 'Approved or discarded by a person'
      : run.state === 'running'
        ? run.cancel
          ? 'Ends at its next batch'
          : 'Its end'
        : due > now
          ? `Next attempt ${relative(due, now)}`
          : 'Claimed by an instance with a free slot'
  return (
    <span className="step calm coming">
      <StateGlyph state="pending" />
      <span className="step-words">{words}</span>
    </span>
  )
}

/** All of a run's time as one band, in proportion. */
function Band({ run, steps, now }: { run: Run; steps: readonly Step[]; now: number }) {
  const sum = shares(run, steps, now)
  const kinds = (Object.keys(GAPS) as Gap[]).filter((kind) => sum[kind] > 0)
  const open = goesOn(run, steps, now)
  const pieces = [...steps.flatMap(({ key, gap }) => (gap ? [{ key, ...gap }] : [])), ...(open ? [{ key: 'open', ...open }] : [])]
  const all = pieces.reduce((most, piece) => most + piece.ms, 0)
  if (all === 0) return null
  const told = kinds.map((kind) => `${duration(sum[kind] / 1000)} ${GAPS[kind].words}`).join(', ')
  return (
    <figure className="band">
      <span className="band-bar" role="img" aria-label={`${duration(all / 1000)} in all: ${told}`}>
        {pieces.map(({ key, kind, ms }) => (
          <span
            key={key}
            className={GAPS[kind].look}
            title={`${duration(ms / 1000)} ${GAPS[kind].words}`}
            style={{ '--share': ms / all }}
          />
        ))}
      </span>
      <figcaption>
        {kinds.map((kind) => (
          <span key={kind} className={`key ${GAPS[kind].look}`}>
            {duration(sum[kind] / 1000)} {GAPS[kind].words}
          </span>
        ))}
      </figcaption>
    </figure>
  )
}
