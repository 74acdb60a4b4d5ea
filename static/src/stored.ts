/** State that outlives a reload, and not the tab. Never for secrets: whoever sits at the machine next can read it. */
import { useCallback, useState } from 'react'

export function useStored<T>(key: string, initial: T): [value: T, set: (value: T | ((before: T) => T)) => void, forget: () => void] {
  const [value, setValue] = useState<T>(() => (read(key) as T | undefined) ?? initial)
  const set = useCallback(
    (next: T | ((before: T) => T)) =>
      setValue((before) => {
        const after = typeof next === 'function' ? (next as (before: T) => T)(before) : next
        write(key, after)
        return after
      }),
    [key],
  )
  const forget = useCallback(() => {
    write(key, undefined)
    setValue(initial)
  }, [key, initial])
  return [value, set, forget]
}

function read(key: string): unknown {
  try {
    const text = sessionStorage.getItem(key)
    return text === null ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return undefined // forbidden, or not ours
  }
}

function write(key: string, value: unknown): void {
  try {
    if (value === undefined) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, JSON.stringify(value))
  } catch {
    // Storage may be forbidden: the draft lasts as long as the page.
  }
}
