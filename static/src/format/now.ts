import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
let ahead = 0
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (listeners.size === 1) {
    now = Date.now() + ahead
    timer = setInterval(() => {
      now = Date.now() + ahead
      listeners.forEach((tell) => tell())
    }, 1000)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) clearInterval(timer)
  }
}

/** Where the server's clock and ours differ by more than a header's second can tell, relative times follow the server's. */
export function noteServerTime(date: string | null): void {
  const difference = Date.parse(date ?? '') - Date.now()
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) > 2_000 ? difference : 0
}

/** What the server's clock says, as far as we know, in ms. */
export function serverNow(): number {
  return Date.now() + ahead
}

/** The time in ms, moving once a second: one timer for the whole page. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}
