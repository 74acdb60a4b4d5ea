import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Instance, Lease, Run } from '../api/wire'
import { useNow } from '../format/now'
import { bytes, count, plural } from '../format/number'
import { roleOf, type Role } from '../format/terms'
import { duration } from '../format/time'
import { StateGlyph, TONES, type AnyState } from './State'
import { Time } from './Time'

interface InstancesTableProps {
  instances: Instance[]
  lease: Lease | null
  /** The instance that answered. */
  here: string | null
  /** Those that run now, to name them. */
  running: readonly Run[]
  /** The buttons of a row. */
  actions: (instance: Instance) => ReactNode
}

const LOOK: Record<Role, AnyState> = {
  leads: 'running',
  'stands by': 'succeeded',
  drains: 'held',
  drained: 'skipped',
  silent: 'failed',
  'takes no runs': 'pending',
}

export function InstancesTable({ instances, lease, here, running, actions }: InstancesTableProps) {
  return (
    <table aria-label="Instances">
      <thead>
        <tr>
          <th scope="col">Instance</th>
          <th scope="col">Role</th>
          <th scope="col" className="mid">
            Runs now
          </th>
          <th scope="col" className="number wide">
            Memory
          </th>
          <th scope="col" className="wide">
            Version
          </th>
          <th scope="col" className="number wide">
            Up
          </th>
          <th scope="col" className="number mid">
            Heartbeat
          </th>
          <th scope="col">
            <span className="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {instances.map((instance) => (
          <tr key={instance.id} data-row>
            <th scope="row">
              <span className="primary">{instance.host}</span>
              <span className="under">
                pid {instance.pid} · <code title={instance.id}>{instance.id.slice(0, 8)}</code>
                {instance.id === here && ' · this one'}
              </span>
              <span className="under narrow">
                <Runs instance={instance} running={running} />
              </span>
            </th>
            <td>
              <RoleTag role={roleOf(instance, lease)} lease={lease} left={instance.active_runs.length} />
            </td>
            <td className="mid">
              <Runs instance={instance} running={running} />
            </td>
            <td className="number wide">{instance.rss_bytes === null ? <span className="muted">–</span> : bytes(instance.rss_bytes)}</td>
            <td className="wide">
              {instance.version} <span className="muted">{instance.mode}</span>
            </td>
            <td className="number wide">
              <Up since={instance.started_at} />
            </td>
            <td className="number mid">
              <Time at={instance.seen_at} />
            </td>
            <td>{actions(instance)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function RoleTag({ role, lease, left }: { role: Role; lease: Lease | null; left: number }) {
  const now = useNow()
  return (
    <>
      <span className={`state ${TONES[LOOK[role]]}`}>
        {role === 'leads' ? <Crown /> : <StateGlyph state={LOOK[role]} still />}
        {role}
      </span>
      {role === 'leads' && lease && (
        <span className="under">
          token {count(lease.token)}
          {lease.acquired_at && `, for ${duration(Math.max(0, now - Date.parse(lease.acquired_at)) / 1000)}`}
        </span>
      )}
      {role === 'drains' && <span className="under">{left > 0 ? `${plural(left, 'run')} left` : 'hands over the lease'}</span>}
      {role === 'drained' && <span className="under">works on nothing</span>}
      {role === 'silent' && <span className="under">no heartbeat</span>}
    </>
  )
}

/** The shape of the one that leads. */
function Crown() {
  return (
    <svg aria-hidden="true" width="15" height="15" viewBox="0 0 16 16" fill="currentColor">
      <path d="M1.5 4.5 5 7.5l3-5 3 5 3.5-3-1.2 8.5H2.7z" />
    </svg>
  )
}

function Runs({ instance, running }: { instance: Instance; running: readonly Run[] }) {
  const { active_runs: ids, slots } = instance
  const known = new Map(running.map((run) => [run.id, run]))
  return (
    <>
      {ids.length === 0 ? <span className="muted">none</span> : null}
      {ids.map((id, index) => {
        const run = known.get(id)
        return (
          <span key={id}>
            {index > 0 && ', '}
            <Link href={`/runs/${id}`}>{run ? `${run.job_id} #${run.sequence}` : <code>{id.slice(0, 8)}</code>}</Link>
          </span>
        )
      })}
      {slots > 0 && (
        <span className="under">
          {count(ids.length)} of {plural(slots, 'slot')}
        </span>
      )}
    </>
  )
}

function Up({ since }: { since: string }) {
  const now = useNow()
  return <span title={since}>{duration(Math.max(0, now - Date.parse(since)) / 1000)}</span>
}
