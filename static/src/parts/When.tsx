import { relative, exact } from '../format/time'
import { useNow } from '../format/now'
import { HERE, inZone } from '../format/zone'

/** An instant to come, relative to now; exact in the viewer's zone and in `zone` for who points at it or comes by Tab. */
export function When({ at, zone }: { at: string; zone: string }) {
  const now = useNow()
  const told = zone === HERE ? [exact(at)] : [`${exact(at)} here`, `${inZone(at, zone)} in ${zone}`]
  return (
    <span className="when" tabIndex={0} data-tip={told.join('\n')}>
      <time dateTime={at}>{relative(Date.parse(at), now)}</time>
      <span className="hidden">, {told.join(', ')}</span>
    </span>
  )
}
