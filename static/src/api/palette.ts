/** What the command palette asks and does. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { request, withQuery } from './client'
import { keys, type JobDeed } from './queries'
import type { JobList } from './wire'

const MOST = 6

/** Jobs that have the words in their names or ends. A search that the server cannot read finds none. */
export function useFoundJobs(words: string) {
  return useQuery({
    queryKey: [...keys.jobs, 'palette', words],
    queryFn: ({ signal }) => request<JobList>(withQuery('/api/jobs', { q: words, limit: MOST }), { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: false,
    retry: false,
    enabled: words !== '',
  })
}

export function useAnyJobDeed() {
  const client = useQueryClient()
  return useMutation<unknown, Error, { id: string; deed: JobDeed }>({
    mutationFn: ({ id, deed }) => request(`/api/jobs/${encodeURIComponent(id)}/${deed}`, { method: 'POST' }),
    onSettled: () => client.invalidateQueries(),
  })
}
