/** What the pages ask that show all jobs at once. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { rangeOf, windowOf, type RangeName } from '../format/range'
import { serverNow } from '../format/now'
import { request, withQuery } from './client'
import { paced } from './pace'
import { keys } from './queries'
import type { ConnectionList, NeedList, Summary, Throughput, Timeline } from './wire'

/** `ready`: where the server has very much to count, it counts one thing after another, what matters most first. */
export function useSummary(ready: boolean) {
  return useQuery({
    queryKey: keys.summary,
    queryFn: ({ signal }) => paced('summary', request<Summary>('/api/summary', { signal })),
    enabled: ready,
  })
}

/** What waits, with the summary of the same moment: to count how all jobs stand is most of the work. */
export function useNeeds(limit: number) {
  return useQuery({
    queryKey: [...keys.needs, limit],
    queryFn: ({ signal }) => paced('needs', request<NeedList>(withQuery('/api/needs', { limit }), { signal })),
    placeholderData: keepPreviousData,
  })
}

export interface TimelineAsk {
  range: RangeName
  q: string
  after: string | null
  buckets: number
  limit: number
}

/** The window moves with the clock: it is counted anew at each asking, and what is known stays until the answer.
 *
 * `buckets` 0: nobody knows yet how many can be seen. */
export function useTimeline({ range, ...ask }: TimelineAsk) {
  return useQuery({
    queryKey: [...keys.timeline, range, ask],
    queryFn: ({ signal }) =>
      paced('timeline', request<Timeline>(withQuery('/api/timeline', { ...ask, ...windowOf(rangeOf(range), serverNow()) }), { signal })),
    placeholderData: keepPreviousData,
    enabled: ask.buckets > 0,
  })
}

export function useThroughput(range: RangeName, buckets: number, ready: boolean) {
  return useQuery({
    queryKey: [...keys.throughput, range, buckets],
    queryFn: ({ signal }) => {
      const since = new Date(serverNow() - rangeOf(range).moved).toISOString()
      const until = new Date(serverNow()).toISOString()
      return paced('throughput', request<Throughput>(withQuery('/api/throughput', { since, until, buckets }), { signal }))
    },
    placeholderData: keepPreviousData,
    enabled: ready,
  })
}

/** The ids of connections, to be suggested; asked only once somebody is about to choose one. */
export function useConnectionIds(wanted: boolean): string[] {
  const found = useQuery({
    queryKey: [...keys.connections, 'ids'],
    queryFn: ({ signal }) => request<ConnectionList>(withQuery('/api/connections', { limit: 500 }), { signal }),
    enabled: wanted,
    staleTime: 60_000,
    refetchInterval: false,
  })
  return found.data?.items.map(({ id }) => id) ?? []
}
