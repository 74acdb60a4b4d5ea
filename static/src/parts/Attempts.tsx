import type { Attempt } from '../api/wire'
import { span, duration, exact } from '../format/time'
import { Time } from './Time'

/** Every try of a run, the latest first, each with where it ran and how it ended. */
export function Attempts({ attempts }: { attempts: Attempt[] }) {
  return (
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
        {[...attempts].reverse().map((attempt) => {
          const took = span(attempt.started_at, attempt.ended_at)
          return (
            <tr key={attempt.token}>
              <th scope="row">
                {attempt.attempt}
                {attempt.started_at && <span className="under mid">from {exact(attempt.started_at)}</span>}
              </th>
              <td>
                {attempt.outcome}
                {attempt.error && <span className="under bad">{attempt.error.message}</span>}
              </td>
              <td className="mid">
                <code>{attempt.instance?.slice(0, 8) ?? '–'}</code>
              </td>
              <td className="number mid">{took === null ? '–' : duration(took / 1000)}</td>
              <td className="number">
                <Time at={attempt.ended_at} />
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
