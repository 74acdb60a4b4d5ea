import { Link, useLocation } from 'wouter'
import { useHistoryState } from 'wouter/use-browser-location'
import { address, useAddress } from '../address'

/** Where the pages before this one began; the browser keeps it with each step of its history. */
type Trail = (string | null)[]

function trailOf(state: unknown): Trail {
  if (typeof state !== 'object' || state === null || !('trail' in state)) return []
  return Array.isArray(state.trail) ? (state.trail as Trail) : []
}

/** To the next page of a list, and back to the one before; to the first where one came by a link. */
export function Paging({ next, size, label }: { next: string | null; size: number; label: string }) {
  const [path] = useLocation()
  const [query] = useAddress()
  const trail = trailOf(useHistoryState())
  const after = query.get('after')
  if (after === null && next === null) return null
  const at = (to: string | null) => address(path, query, { after: to, selected: null })
  return (
    <nav className="panel-foot paging" aria-label={label}>
      {after === null ? (
        <span />
      ) : (
        <Link href={at(trail.at(-1) ?? null)} state={{ trail: trail.slice(0, -1) }} className="button little">
          {trail.length > 0 ? 'Previous' : 'First page'}
        </Link>
      )}
      <span className="muted">{trail.length > 0 || after === null ? `Page ${trail.length + 1}` : ''}</span>
      {next === null ? (
        <span className="muted">The end</span>
      ) : (
        <Link href={at(next)} state={{ trail: [...trail, after] }} className="button little">
          Next {size}
        </Link>
      )}
    </nav>
  )
}
