import { clock, exact, relative } from '../format/time'
import { useNow } from '../format/now'

/** An instant, relative to now; the exact one, in the viewer's zone and in UTC, on hover. */
export function Time({ at, never = 'never' }: { at: string | null | undefined; never?: string }) {
  const now = useNow()
  if (!at) return <span className="muted">{never}</span>
  return (
    <time dateTime={at} title={`${exact(at)}\n${exact(at, 'UTC')}`} className="nowrap">
      {relative(Date.parse(at), now)}
    </time>
  )
}

/** An instant as the clock shows it, and how far away it is. */
export function BothTimes({ at, never }: { at: string | null | undefined; never?: string }) {
  const now = useNow()
  if (!at) return <Time at={at} never={never} />
  return (
    <>
      {clock(at, now)} <span className="muted small"><Time at={at} /></span>
    </>
  )
}

/** An instant, exact, with how far away it is on hover. */
export function ExactTime({ at, zone }: { at: string; zone?: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={relative(Date.parse(at), now)}>
      {exact(at, zone)}
    </time>
  )
}
