import { Link } from 'wouter'
import type { Instance, Lease, Term } from '../api/wire'
import { useNow } from '../format/now'
import { count } from '../format/number'
import { duration, span } from '../format/time'
import { State } from './State'
import { Time } from './Time'

interface InstancesTableProps {
  instances: Instance[]
  lease: Lease | null
  /** The instance that answered. */
  here: string | null
}

export function InstancesTable({ instances, lease, here }: InstancesTableProps) {
  return (
    <table aria-label="Instances">
      <thead>
        <tr>
          <th scope="col">Instance</th>
          <th scope="col">Role</th>
          <th scope="col" className="mid">
            Runs now
          </th>
          <th scope="col" className="wide">
            Version
          </th>
          <th scope="col" className="mid">
            Up
          </th>
          <th scope="col" className="number">
            Heartbeat
          </th>
        </tr>
      </thead>
      <tbody>
        {instances.map((instance) => {
          const leads = lease?.live === true && lease.instance === instance.id
          return (
            <tr key={instance.id}>
              <th scope="row">
                <span className="primary">{instance.host}</span>
                <span className="under">
                  pid {instance.pid} · <code title={instance.id}>{instance.id.slice(0, 8)}</code>
                  {instance.id === here && ' · this one'}
                </span>
              </th>
              <td>
                {leads ? (
                  <>
                    <span className="tag busy">leads</span>
                    <span className="under">token {count(lease.token)}</span>
                  </>
                ) : (
                  <span className="muted">{instance.live ? 'stands by' : 'gone'}</span>
                )}
              </td>
              <td className="mid">
                {instance.active_runs.length === 0 ? (
                  <span className="muted">none</span>
                ) : (
                  instance.active_runs.map((run) => (
                    <Link key={run} href={`/runs/${run}`} className="mono">
                      {run.slice(0, 8)}{' '}
                    </Link>
                  ))
                )}
              </td>
              <td className="wide">
                {instance.version} <span className="muted">{instance.mode}</span>
              </td>
              <td className="mid">
                <Up since={instance.started_at} />
              </td>
              <td className="number">
                {instance.live ? <Time at={instance.seen_at} /> : <State state="failed">silent</State>}
                {!instance.live && (
                  <span className="under">
                    <Time at={instance.seen_at} />
                  </span>
                )}
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

function Up({ since }: { since: string }) {
  const now = useNow()
  return <span title={since}>{duration(Math.max(0, now - Date.parse(since)) / 1000)}</span>
}

export function TermsTable({ terms }: { terms: Term[] }) {
  const now = useNow()
  return (
    <table aria-label="Terms">
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col">Held by</th>
          <th scope="col" className="mid">
            Gained
          </th>
          <th scope="col" className="number mid">
            For
          </th>
          <th scope="col" className="number">
            Ended
          </th>
        </tr>
      </thead>
      <tbody>
        {terms.map((term) => (
          <tr key={term.id}>
            <th scope="row">{term.id}</th>
            <td>
              {term.host}
              <span className="under">
                pid {term.pid} · <code title={term.instance}>{term.instance.slice(0, 8)}</code>
              </span>
            </td>
            <td className="mid">
              <Time at={term.gained_at} />
            </td>
            <td className="number mid">{duration((span(term.gained_at, term.ended_at ?? now) ?? 0) / 1000)}</td>
            <td className="number">
              {term.ended_at ? (
                <>
                  {term.how} <Time at={term.ended_at} />
                </>
              ) : (
                <span className="tag busy">leads now</span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
