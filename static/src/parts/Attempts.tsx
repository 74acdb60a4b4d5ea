import { Link } from 'wouter'
import type { Attempt, Run } from '../api/wire'
import { useNow } from '../format/now'
import { outcomeOf } from '../format/steps'
import { duration, exact, span } from '../format/time'
import { InstanceName } from './InstanceName'
import { State, type AnyState } from './State'
import { Time } from './Time'

/** So many are kept with a run; of the ones before them the log alone tells. */
const KEPT = 50

const STATE: Partial<Record<string, AnyState>> = { lost: 'missed', interrupted: 'cancelled' }

/** Every try of a run, the latest first: where it ran, under which claim, how it ended and what its log says. */
export function Attempts({ run }: { run: Run }) {
  const tries = [...run.attempts, ...(run.state === 'running' ? [underWay(run)] : [])].reverse()
  return (
    <>
      <table aria-label="Attempts">
        <thead>
          <tr>
            <th scope="col">Attempt</th>
            <th scope="col">Outcome</th>
            <th scope="col" className="mid">
              Instance
            </th>
            <th scope="col" className="number mid">
              Took
            </th>
            <th scope="col" className="number">
              Ended
            </th>
          </tr>
        </thead>
        <tbody>
          {tries.map((attempt) => (
            <AttemptRow key={attempt.token} attempt={attempt} run={run} />
          ))}
        </tbody>
      </table>
      {run.attempts.length >= KEPT && <p className="panel-foot muted">The last {KEPT} are kept here; the log has what earlier ones said.</p>}
    </>
  )
}

function underWay(run: Run): Attempt {
  const { instance, token } = run.claim
  return { attempt: run.attempt, instance, token, started_at: run.attempt_started_at, ended_at: null, outcome: 'running', error: null }
}

function AttemptRow({ attempt, run }: { attempt: Attempt; run: Run }) {
  const now = useNow()
  const took = span(attempt.started_at, attempt.ended_at ?? now)
  const { title, means } = outcomeOf(attempt.outcome)
  const state = isState(attempt.outcome) ? attempt.outcome : (STATE[attempt.outcome] ?? 'pending')
  return (
    <tr>
      <th scope="row">
        <span className="primary">{attempt.attempt}</span>
        <span className="under">
          claim token {attempt.token}
          <span className="narrow">{attempt.instance && <InstanceName id={attempt.instance} />}</span>
        </span>
        <Link className="small" href={`/runs/${run.id}?tab=log&attempt=${attempt.attempt}`}>
          Log<span className="hidden"> of attempt {attempt.attempt}</span>
        </Link>
      </th>
      <td>
        <State state={state}>{title === 'Attempt failed' ? 'failed' : title.toLowerCase()}</State>
        {means && <span className="under">{means}</span>}
        {attempt.error && attempt.outcome !== 'lost' && <span className="under bad">{attempt.error.message}</span>}
      </td>
      <td className="mid">{attempt.instance ? <InstanceName id={attempt.instance} /> : '–'}</td>
      <td className="number mid" title={attempt.started_at ? `from ${exact(attempt.started_at)}` : undefined}>
        {took === null ? '–' : duration(Math.max(0, took) / 1000)}
      </td>
      <td className="number">{attempt.ended_at ? <Time at={attempt.ended_at} /> : <span className="muted">under way</span>}</td>
    </tr>
  )
}

function isState(outcome: string): outcome is AnyState {
  return ['running', 'succeeded', 'failed', 'cancelled', 'held'].includes(outcome)
}
