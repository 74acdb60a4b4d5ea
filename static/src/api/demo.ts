import { useMutation, useQueryClient } from '@tanstack/react-query'
import { request } from './client'
import type { Job } from './wire'

/** Make the demo's shop and job; then every page has something to show. */
export function useDemo() {
  const client = useQueryClient()
  return useMutation<Job>({
    mutationFn: () => request<Job>('/api/demo', { method: 'POST' }),
    onSettled: () => client.invalidateQueries(),
  })
}
