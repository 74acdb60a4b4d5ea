import { useEffect, useState, type ComponentType } from 'react'
import { Fault, Skeleton } from './parts/Blank'

const coming: (() => Promise<void>)[] = []

/** A page in a file of its own: fetched when one first goes there, or before, once there is nothing better to do.
 *
 * Not React.lazy: that one remembers a failure for ever, and a server that was away for a second comes back. */
export function lazyPage<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let Page: ComponentType<P> | undefined
  let fetching: Promise<void> | undefined

  const fetchOnce = (): Promise<void> => {
    fetching ??= load().then(
      (found) => {
        Page = found
      },
      () => {
        fetching = undefined
        throw new Error('This part of the dashboard could not be fetched: the server is away, or has a newer one.')
      },
    )
    return fetching
  }
  coming.push(fetchOnce)

  return function Later(props: P) {
    const [, setTries] = useState(0)
    const [error, setError] = useState<Error | null>(null)
    const show = () => setTries((tries) => tries + 1)
    useEffect(() => {
      if (Page || error) return
      let gone = false
      fetchOnce().then(
        () => !gone && show(),
        (caught: unknown) => !gone && caught instanceof Error && setError(caught),
      )
      return () => {
        gone = true
      }
    }, [error])
    if (Page) return <Page {...props} />
    return (
      <div className="panel">
        {error ? <Fault error={error} onRetry={() => window.location.reload()} /> : <Skeleton lines={10} />}
      </div>
    )
  }
}

/** Fetch all other pages, so that going to one waits for nothing. */
export function fetchPages(): void {
  for (const fetchOne of coming.splice(0)) void fetchOne().catch(() => undefined)
}
