/** Every question and every deed of the dashboard, by name. */
import { keepPreviousData, QueryClient, QueryCache, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ApiError, request, withQuery } from './client'
import type {
  ConnectionList,
  ConnectionTest,
  FireTimes,
  InstanceList,
  Job,
  JobList,
  Run,
  RunList,
  Status,
} from './wire'

/** While events come a question is asked anew only now and then; without them this is what keeps the page in step. */
export const LIVE_INTERVAL_MS = 10_000
export const POLL_INTERVAL_MS = 3_000

export function makeQueryClient(onSignedOut: () => void, interval: () => number | false): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiError && error.status === 401) onSignedOut()
      },
    }),
    defaultOptions: {
      queries: {
        networkMode: 'always',
        // Who is not there, or not ours to see, will not come by asking again.
        refetchInterval: ({ state: { error } }) => (isRefusal(error) ? false : interval()),
        // Who paused the page wants it to stand still.
        refetchOnWindowFocus: () => interval() !== false,
        staleTime: 1_000,
        retry: (failures, error) => failures < 2 && !isRefusal(error),
        retryDelay: (failures) => 500 * 2 ** failures,
      },
      mutations: { networkMode: 'always' },
    },
  })
}

function isRefusal(error: Error | null): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500
}

export const keys = {
  status: ['status'],
  summary: ['summary'],
  needs: ['needs'],
  timeline: ['timeline'],
  throughput: ['throughput'],
  jobs: ['jobs'],
  everyJob: ['job'],
  job: (id: string) => ['job', id],
  runs: ['runs'],
  everyRun: ['run'],
  run: (id: string) => ['run', id],
  instances: ['instances'],
  connections: ['connections'],
  alerts: ['alerts'],
  /** What changes as alerts speak, beside what a person saves of them. */
  told: ['alerts', 'told'],
} as const

export function useStatus() {
  return useQuery({ queryKey: keys.status, queryFn: ({ signal }) => request<Status>('/api/status', { signal }) })
}

export interface JobFilter {
  q?: string | null
  after?: string | null
  limit?: number
}

/** A page of jobs, by id; `q` is in the search language of docs/api.md. */
export function useJobs(filter: JobFilter = {}) {
  return useQuery({
    queryKey: [...keys.jobs, filter],
    queryFn: ({ signal }) => request<JobList>(withQuery('/api/jobs', { limit: 50, ...filter }), { signal }),
    placeholderData: keepPreviousData,
  })
}

export function useJob(id: string) {
  return useQuery({
    queryKey: keys.job(id),
    queryFn: ({ signal }) => request<Job>(`/api/jobs/${encodeURIComponent(id)}`, { signal }),
  })
}

export function useFireTimes(id: string, n: number) {
  return useQuery({
    queryKey: [...keys.job(id), 'fire-times', n],
    queryFn: ({ signal }) =>
      request<FireTimes>(withQuery(`/api/jobs/${encodeURIComponent(id)}/fire-times`, { n }), { signal }),
  })
}

export interface RunFilter {
  job?: string | null
  state?: string | null
  trigger?: string | null
  since?: string | null
  after?: string | null
  limit?: number
}

export function useRuns(filter: RunFilter) {
  return useQuery({
    queryKey: [...keys.runs, filter],
    queryFn: ({ signal }) => request<RunList>(withQuery('/api/runs', { ...filter }), { signal }),
    placeholderData: keepPreviousData,
  })
}

export function useRun(id: string) {
  return useQuery({
    queryKey: keys.run(id),
    queryFn: ({ signal }) => request<Run>(`/api/runs/${encodeURIComponent(id)}`, { signal }),
  })
}

export function useConnections() {
  return useQuery({
    queryKey: keys.connections,
    queryFn: ({ signal }) => request<ConnectionList>(withQuery('/api/connections', { limit: 500 }), { signal }),
  })
}

export function useInstances() {
  return useQuery({
    queryKey: keys.instances,
    queryFn: ({ signal }) => request<InstanceList>('/api/instances', { signal }),
  })
}

/** A deed on a job or a run: sent once, then everything that it may have changed is asked anew. */
function useDeed<T>(path: string, patience?: number) {
  const client = useQueryClient()
  return useMutation<T>({
    mutationFn: () => request<T>(path, { method: 'POST', patience }),
    onSettled: () => client.invalidateQueries(),
  })
}

export type JobDeed = 'run' | 'enable' | 'disable'
export type RunDeed = 'cancel' | 'retry' | 'approve' | 'discard'

export function useJobDeed<T = Job>(id: string, deed: JobDeed) {
  return useDeed<T>(`/api/jobs/${encodeURIComponent(id)}/${deed}`)
}

export function useRunDeed(id: string, deed: RunDeed) {
  return useDeed<Run>(`/api/runs/${encodeURIComponent(id)}/${deed}`)
}

export function useConnectionTest(id: string) {
  return useMutation<ConnectionTest>({
    mutationFn: () =>
      request<ConnectionTest>(`/api/connections/${encodeURIComponent(id)}/test`, { method: 'POST', patience: 60_000 }),
  })
}
