import { useState } from 'react'

/** `live`, but standing still while `frozen`: as it was when that began, or when it was last let through. */
export function useFrozen<T>(live: T | undefined, frozen: boolean): [shown: T | undefined, letThrough: () => void] {
  const [kept, setKept] = useState<T | undefined>(undefined)
  if (frozen && kept === undefined && live !== undefined) setKept(live)
  if (!frozen && kept !== undefined) setKept(undefined)
  return [frozen ? (kept ?? live) : live, () => setKept(live)]
}
