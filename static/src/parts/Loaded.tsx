import { useState, type ReactNode } from 'react'
import { Fault, Skeleton } from './Blank'

/** What a part needs to know of a question to the server. */
export interface Asked<T> {
  data: T | undefined
  error: Error | null
  refetch: () => unknown
}

/** The four ways a question stands: not yet, failed, and answered; what is stale is shown, the banner says so. */
export function Loaded<T>({ asked, lines, children }: { asked: Asked<T>; lines?: number; children: (data: T) => ReactNode }) {
  const last = useLastError(asked.error)
  if (asked.data !== undefined) return <>{children(asked.data)}</>
  if (last) return <Fault error={last} onRetry={() => void asked.refetch()} />
  return <Skeleton lines={lines} />
}

/** Asking again forgets the error for a moment; this does not, or the page would flicker between the two. */
export function useLastError(error: Error | null): Error | null {
  const [last, setLast] = useState(error)
  if (error && error !== last) setLast(error)
  return last
}
