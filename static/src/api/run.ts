/** What surrounds one run: its neighbours, what is usual; and the draining of those that work. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { request } from './client'
import { keys } from './queries'
import type { Instance, Neighbours, Usual } from './wire'

export function useNeighbours(id: string) {
  return useQuery({
    queryKey: [...keys.run(id), 'neighbours'],
    queryFn: ({ signal }) => request<Neighbours>(`/api/runs/${encodeURIComponent(id)}/neighbours`, { signal }),
  })
}

/** What the job's last runs were like; it changes only as runs end. */
export function useUsual(job: string) {
  return useQuery({
    queryKey: ['usual', job],
    queryFn: ({ signal }) => request<Usual>(`/api/jobs/${encodeURIComponent(job)}/usual`, { signal }),
    staleTime: 30_000,
    refetchInterval: false,
    retry: false,
  })
}

/** Ask an instance to take no more runs, or to take them again. */
export function useDrain(id: string, deed: 'drain' | 'undrain') {
  const client = useQueryClient()
  return useMutation<Instance>({
    mutationFn: () => request<Instance>(`/api/instances/${encodeURIComponent(id)}/${deed}`, { method: 'POST' }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.instances }),
  })
}
