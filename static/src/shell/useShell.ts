/** What the frame watches: the top of a new page, and how old its data is. */
import { useIsFetching, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'

/** A page that one goes to begins at its top; one that one comes back to stays where the browser puts it. */
export function useTopOfNewPage(location: string): void {
  const came = useRef(false)
  useEffect(() => {
    const back = () => {
      came.current = true
    }
    window.addEventListener('popstate', back)
    return () => window.removeEventListener('popstate', back)
  }, [])
  useEffect(() => {
    if (!came.current) window.scrollTo(0, 0)
    came.current = false
  }, [location])
}

/** When the server last answered anything, in ms; 0 before the first time. */
export function useLastAnswer(): number {
  const client = useQueryClient()
  useIsFetching() // looks again whenever a question begins or ends
  return Math.max(0, ...client.getQueryCache().getAll().map((query) => query.state.dataUpdatedAt))
}
