/** A run's log by parts: how many lines are sought, and those that are looked at. Nothing else is kept. */
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { request, withQuery } from './client'
import type { LogLevel, LogLine, LogMarks, LogOutline, LogPage } from './wire'

/** Lines from one mark to the next, which are asked for together. */
export const CHUNK = 200
const GROWS_MS = 1_000
const OUTLINE_MS = 5_000
/** How long lines are kept that nobody looks at any more. */
const KEPT_MS = 30_000

export interface Sought {
  level: LogLevel
  q: string
  attempt: number | null
}

export function isAll({ level, q, attempt }: Sought): boolean {
  return level === 'debug' && q === '' && attempt === null
}

const at = (id: string, rest = '') => `/api/runs/${encodeURIComponent(id)}/logs${rest}`

/** Marks that were read on from the last of those known, so that a growing log is not counted anew each time. */
export function readOn(known: LogMarks | undefined, fresh: LogMarks): LogMarks {
  const settled = known?.marks.slice(0, -1) ?? []
  return { count: settled.length * CHUNK + fresh.count, marks: [...settled, ...fresh.marks], lines: fresh.lines }
}

/** How many lines are sought and where every 200th of them is; asked every second while the log grows. */
export function useLogMarks(id: string, sought: Sought, growing: boolean) {
  const client = useQueryClient()
  const queryKey = ['log', id, 'marks', sought]
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const known = client.getQueryData<LogMarks>(queryKey)
      const after = (known?.marks.at(-1) ?? 1) - 1
      const path = withQuery(at(id, '/marks'), { ...sought, after, every: CHUNK })
      return readOn(known, await request<LogMarks>(path, { signal, patience: 60_000 }))
    },
    refetchInterval: growing ? GROWS_MS : false,
    gcTime: KEPT_MS,
  })
}

export function useLogOutline(id: string, growing: boolean) {
  return useQuery({
    queryKey: ['log', id, 'outline'],
    queryFn: ({ signal }) => request<LogOutline>(at(id, '/outline'), { signal, patience: 60_000 }),
    refetchInterval: growing ? OUTLINE_MS : false,
  })
}

/** Which parts hold the lines from place `first` to before `last`. */
export function partsOf(first: number, last: number, marks: number): number[] {
  const from = Math.floor(first / CHUNK)
  const until = Math.min(marks, Math.ceil(last / CHUNK))
  return Array.from({ length: Math.max(0, until - from) }, (_, index) => from + index)
}

/** The lines of some parts; a part that grew is asked for again. */
export function useLogParts(id: string, sought: Sought, marks: LogMarks, parts: readonly number[]) {
  const answers = useQueries({
    queries: parts.map((part) => ({
      queryKey: ['log', id, 'part', sought, part],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const after = (marks.marks[part] ?? 1) - 1
        const page = await request<LogPage>(withQuery(at(id), { ...sought, after, limit: CHUNK }), { signal })
        return page.items
      },
      staleTime: Infinity,
      gcTime: KEPT_MS,
      refetchInterval: false as const,
    })),
  })
  const short = answers.find(({ data, isFetching }, index) => {
    const whole = Math.min(CHUNK, marks.count - (parts[index] ?? 0) * CHUNK)
    return data !== undefined && !isFetching && data.length < whole
  })
  const again = short?.refetch
  useEffect(() => {
    void again?.()
    // Once for each time that the log was found to have grown: a server that answers less is not asked in a circle.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [marks.count, parts.join()])
  const lines = new Map<number, readonly LogLine[]>(answers.flatMap(({ data }, index) => (data ? [[parts[index] ?? 0, data]] : [])))
  return { lines, error: answers.find(({ error }) => error)?.error ?? null, refetch: () => answers.map((one) => one.refetch()) }
}

/** The place, from 0, of the first sought line with number `n` or above; null while its part is not here. */
export function placeOf(n: number, marks: LogMarks, lines: ReadonlyMap<number, readonly LogLine[]>): number | null {
  const part = partWith(n, marks)
  const found = lines.get(part)
  if (!found) return null
  const within = found.findIndex((line) => line.n >= n)
  return Math.min(marks.count - 1, part * CHUNK + (within < 0 ? found.length : within))
}

/** The part that holds line `n`, where it is sought. */
export function partWith(n: number, { marks }: LogMarks): number {
  const beyond = marks.findIndex((mark) => mark > n)
  return Math.max(0, (beyond < 0 ? marks.length : beyond) - 1)
}

/** The whole log as a file. */
export function logFile(id: string): string {
  return at(id, '/text')
}

/** The first `most` of the lines that are sought. */
export async function linesFrom(id: string, sought: Sought, most: number): Promise<LogLine[]> {
  const lines: LogLine[] = []
  while (lines.length < most) {
    const limit = Math.min(1_000, most - lines.length)
    const page = await request<LogPage>(withQuery(at(id), { ...sought, after: lines.at(-1)?.n, limit }))
    lines.push(...page.items)
    if (page.items.length < limit) break
  }
  return lines
}
