import { Link } from 'wouter'
import type { InstanceList, Status } from '../api/wire'
import { leaderOf } from '../format/leader'
import { useNow } from '../format/now'
import { count, plural } from '../format/number'
import { duration } from '../format/time'
import { Facts } from './Facts'
import { Time } from './Time'

/** Who turns fire times into runs, for how long already, and who would take over. */
export function Leading({ status, instances: { items, terms } }: { status: Status; instances: InstanceList }) {
  const now = useNow()
  const { none, here } = leaderOf(status, items)
  const lease = status.lease
  if (none || !lease) {
    return (
      <p className="wait">
        Nobody leads: no schedule fires until an instance takes the lease.{' '}
        {items.some((one) => one.live) ? 'That takes some seconds after a crash.' : 'No worker runs.'}
      </p>
    )
  }
  const leader = items.find((one) => one.id === lease.instance)
  const waiting = items.filter((one) => one.live && one.id !== lease.instance).length
  const before = terms.find((one) => one.ended_at !== null)
  return (
    <Facts
      one
      entries={[
        [
          'Leads',
          <Link key="who" href="/instances" className="primary">
            {leader ? `${leader.host}, pid ${leader.pid}` : (lease.instance?.slice(0, 8) ?? 'an instance')}
            {here && <> <span className="tag busy">this one</span></>}
          </Link>,
        ],
        ['For', lease.acquired_at && duration(Math.max(0, now - Date.parse(lease.acquired_at)) / 1000)],
        ['Term', count(lease.token)],
        ['Stands by', waiting === 0 ? 'nobody' : plural(waiting, 'instance')],
        ['Last change', before ? <span key="last">{before.how} <Time at={before.ended_at} /></span> : null],
      ]}
    />
  )
}
