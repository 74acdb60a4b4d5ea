import { clock, exact, relative } from '../format/time'
import { useNow } from '../format/now'

const TICK = 1_500

/** An instant, relative to now; the exact one, in the viewer's zone and in UTC, on hover. */
export function Time({ at, never = 'never' }: { at: string | null | undefined; never?: string }) {
  const now = useNow()
  if (!at) return <span className="muted">{never}</span>
  // Our now moves once a second: what has just happened may lie a little ahead of it.
  const instant = Date.parse(at)
  const seen = instant > now && instant - now < TICK ? now : instant
  return (
    <time dateTime={at} title={`${exact(at)}\n${exact(at, 'UTC')}`} className="nowrap">
      {relative(seen, now)}
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
