import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Need, NeedList } from '../api/wire'
import { count, plural } from '../format/number'
import { firstLine } from '../format/run'
import { Panel } from './Panel'
import { StateGlyph, TONES, type AnyState } from './State'
import { Time } from './Time'

const SHAPE: Record<Need['kind'], AnyState> = {
  held: 'held',
  misconfigured: 'failed',
  failed: 'failed',
  late: 'missed',
  stale: 'missed',
  retrying: 'queued',
}

interface NeedsProps {
  needs: NeedList
  actions: (need: Need) => ReactNode
  /** Where there are more than these: how to see them. */
  more?: ReactNode
}

/** What waits, each with what mends it: first what needs a person, then what will heal by itself. */
export function Needs({ needs: { items, total }, actions, more }: NeedsProps) {
  const groups: [title: string, needs: Need[]][] = [
    ['Needs you', items.filter((need) => !need.heals)],
    ['Will heal by itself', items.filter((need) => need.heals)],
  ]
  const beyond = total - items.length
  return groups
    .filter(([, needs]) => needs.length > 0)
    .map(([title, needs], place, shown) => (
      <Panel key={title} title={title} note={count(needs.length)}>
        <ul className="needs">
          {needs.map((need) => (
            <li key={`${need.job_id} ${need.kind}`} className={need.heals ? TONES.queued : TONES[SHAPE[need.kind]]}>
              <StateGlyph state={SHAPE[need.kind]} size={18} />
              <div>
                <p>
                  <Link href={`/jobs/${need.job_id}`} className="primary">
                    {need.job_id}
                  </Link>{' '}
                  <Why need={need} />
                </p>
                <p className="under">
                  <Told need={need} />
                </p>
              </div>
              {actions(need)}
            </li>
          ))}
        </ul>
        {beyond > 0 && place === shown.length - 1 && (
          <p className="panel-foot">
            <span className="muted">
              The gravest {count(items.length)} of {count(total)}.
            </span>
            {more}
          </p>
        )}
      </Panel>
    ))
}

/** The need in words, as the end of a sentence that begins with its job. */
function Why({ need: { kind, run, since } }: { need: Need }) {
  const link = run && <Link href={`/runs/${run.id}`}>run #{run.sequence}</Link>
  switch (kind) {
    case 'late':
      return (
        <>
          was due <Time at={since} /> and has not run
        </>
      )
    case 'stale':
      return (
        <>
          has had no new data since <Time at={since} />
        </>
      )
    case 'held':
      return (
        <>
          {link} is held{run?.removes != null && `: it would remove ${plural(run.removes, 'row')}`}
        </>
      )
    case 'retrying':
      return <>{link} failed and is tried again</>
    case 'misconfigured':
      return (
        <>
          {link} failed <Time at={since} />: it is set up in a way that cannot work
        </>
      )
    case 'failed':
      return (
        <>
          {link} failed <Time at={since} />
          {run && run.attempt > 1 && `, after ${run.attempt} attempts`}
        </>
      )
  }
}

function Told({ need: { kind, message, heals, heals_at } }: { need: Need }) {
  const said = kind === 'late' ? 'It runs as soon as an instance leads and is free.' : firstLine(message)
  return (
    <>
      {said}
      {heals && heals_at && (
        <>
          {said && (/[.!?…]$/.test(said) ? ' ' : '. ')}
          <span className="nowrap">
            Next try <Time at={heals_at} />.
          </span>
        </>
      )}
    </>
  )
}
