import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Need } from '../format/health'
import { count } from '../format/number'
import { firstLine } from '../format/run'
import { Panel } from './Panel'
import { StateGlyph, TONES, type AnyState } from './State'
import { Time } from './Time'

const SHAPE: Record<Need['why'], AnyState> = { failed: 'failed', held: 'held', late: 'missed' }

/** What waits for a person, each with the buttons that mend it. */
export function Needs({ needs, actions }: { needs: Need[]; actions: (need: Need) => ReactNode }) {
  return (
    <Panel title="Needs you" note={count(needs.length)}>
      <ul className="needs">
        {needs.map((need) => (
          <li key={need.job.id} className={TONES[SHAPE[need.why]]}>
            <StateGlyph state={SHAPE[need.why]} size={18} />
            <div>
              <p>
                <Link href={`/jobs/${need.job.id}`} className="primary">
                  {need.job.id}
                </Link>{' '}
                <Why need={need} />
              </p>
              {need.run?.error && <p className="under">{firstLine(need.run.error.message)}</p>}
              {!need.run?.error && need.run?.reason && <p className="under">{need.run.reason}</p>}
            </div>
            {actions(need)}
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Why({ need: { why, run, job } }: { need: Need }) {
  if (why === 'late') {
    return (
      <>
        was due <Time at={job.next_fire_time} /> and has not run
      </>
    )
  }
  if (!run) return null
  const link = <Link href={`/runs/${run.id}`}>run #{run.sequence}</Link>
  if (why === 'held') {
    return (
      <>
        {link} is held{run.held ? `: it would remove ${count(run.held.removes)} rows` : ''}
      </>
    )
  }
  return (
    <>
      {link} failed <Time at={run.finished_at} />
      {run.attempt > 1 && `, after ${run.attempt} attempts`}
    </>
  )
}
