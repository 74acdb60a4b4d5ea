/** One deed on many jobs or runs: a few at a time, so that the server is not flooded, and told one by one. */
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { request } from './client'
import type { JobDeed } from './queries'

const AT_ONCE = 4

export interface Bulk<D extends string = JobDeed> {
  deed: D
  all: number
  done: number
  failed: { id: string; why: string }[]
}

/** Do it, and how far it is; null before the first time and after `forget`. */
export function useBulk<D extends string = JobDeed>(noun: 'jobs' | 'runs' = 'jobs'): {
  bulk: Bulk<D> | null
  start: (deed: D, ids: readonly string[]) => Promise<void>
  forget: () => void
} {
  const client = useQueryClient()
  const [bulk, setBulk] = useState<Bulk<D> | null>(null)
  const start = async (deed: D, ids: readonly string[]) => {
    setBulk({ deed, all: ids.length, done: 0, failed: [] })
    await inTurn(ids, async (id) => {
      const why = await request(`/api/${noun}/${encodeURIComponent(id)}/${deed}`, { method: 'POST' }).then(
        () => null,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      setBulk((before) => before && { ...before, done: before.done + 1, failed: why ? [...before.failed, { id, why }] : before.failed })
    })
    await client.invalidateQueries()
  }
  return { bulk, start, forget: () => setBulk(null) }
}

async function inTurn(ids: readonly string[], act: (id: string) => Promise<void>): Promise<void> {
  const waiting = [...ids]
  const worker = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await act(id)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, worker))
}
