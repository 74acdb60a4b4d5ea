import type { ReactNode } from 'react'
import { Icon, type IconName } from './Icon'

/** A list with nothing in it: what it means, and what to do. */
export function Blank({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="blank">
      <Icon name={icon} size={28} />
      <strong>{title}</strong>
      {children}
    </div>
  )
}

/** The place of what is being loaded; stays unseen for the first moments. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  )
}

/** Something could not be had: why, and a way to try again. */
export function Fault({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  return (
    <div className="blank" role="alert">
      <span className="bad">
        <Icon name="alert" size={28} />
      </span>
      <strong>This could not be loaded</strong>
      <p>{error.message}</p>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          <Icon name="again" /> Try again
        </button>
      )}
    </div>
  )
}

/** There is something, but not with these filters. */
export function NoMatch({ what, onClear }: { what: string; onClear: () => void }) {
  return (
    <Blank icon="alert" title="Nothing matches">
      <p>There are {what}, but none with these filters.</p>
      <button type="button" className="button" onClick={onClear}>
        Clear the filters
      </button>
    </Blank>
  )
}

/** What was searched for cannot be understood; why is said at the search. */
export function NoSense({ onClear }: { onClear: () => void }) {
  return (
    <Blank icon="search" title="This search cannot be read">
      <p>What is wrong with it is said above.</p>
      <button type="button" className="button" onClick={onClear}>
        Clear the search
      </button>
    </Blank>
  )
}
