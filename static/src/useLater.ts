import { useEffect, useState } from 'react'

/** So long after the last key something is asked for. */
const PAUSE_MS = 150

/** `value`, once it has stood still for a moment. */
export function useLater(value: string): string {
  const [later, setLater] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return later
}
