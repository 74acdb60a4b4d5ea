import type { Alert } from '../../api/wire'
import { faringOf, type Faring as Shape } from '../../format/alert'
import { count } from '../../format/number'
import { State, type AnyState } from '../State'
import { Time } from '../Time'

const SHAPES: Record<Shape, AnyState> = {
  off: 'cancelled',
  quiet: 'pending',
  delivering: 'succeeded',
  sending: 'queued',
  waiting: 'missed',
  undelivered: 'failed',
}

/** How the messages of an alert fare, as a pill. */
export function Faring({ alert }: { alert: Alert }) {
  const faring = faringOf(alert)
  return <State state={SHAPES[faring]}>{words(faring, alert.delivery.waiting)}</State>
}

function words(faring: Shape, waiting: number): string {
  switch (faring) {
    case 'off':
      return waiting > 0 ? `off, ${count(waiting)} waiting` : 'off'
    case 'quiet':
      return 'nothing told yet'
    case 'delivering':
      return 'delivering'
    case 'sending':
      return `sending ${count(waiting)}`
    case 'waiting':
      return `${count(waiting)} waiting`
    case 'undelivered':
      return 'not delivered'
  }
}

/** Why messages wait, until when, and what became of others. */
export function FaringMore({ alert }: { alert: Alert }) {
  const { delivery } = alert
  const faring = faringOf(alert)
  const trouble = faring === 'waiting' || faring === 'undelivered'
  return (
    <>
      {faring === 'waiting' && delivery.next_try_at && (
        <span className="under">
          next try <Time at={delivery.next_try_at} />
        </span>
      )}
      {trouble && delivery.last_error && <span className="under">{delivery.last_error}</span>}
      {delivery.given_up > 0 && <span className="under">{count(delivery.given_up)} given up after a day</span>}
    </>
  )
}
