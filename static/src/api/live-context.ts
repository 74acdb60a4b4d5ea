import { createContext, useContext } from 'react'
import type { Live } from './live'

export const LiveContext = createContext<Live | null>(null)

export function useLive(): Live {
  const live = useContext(LiveContext)
  if (!live) throw new Error('No Live above this part')
  return live
}
