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
  LogLevel,
  LogLine,
  LogPage,
  Run,
  RunList,
  Status,
} from './wire'

/** While events come a question is asked anew only now and then; without them this is what keeps the page in step. */
export const LIVE_INTERVAL_MS = 10_000
export const POLL_INTERVAL_MS = 3_000

export function makeQueryClient(onSignedOut: () => void, interval: () => number): QueryClient {
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
  jobs: ['jobs'],
  job: (id: string) => ['jobs', id],
  runs: ['runs'],
  run: (id: string) => ['run', id],
  instances: ['instances'],
  connections: ['connections'],
} as const

export function useStatus() {
  return useQuery({ queryKey: keys.status, queryFn: ({ signal }) => request<Status>('/api/status', { signal }) })
}

export function useJobs() {
  return useQuery({
    queryKey: keys.jobs,
    queryFn: ({ signal }) => request<JobList>(withQuery('/api/jobs', { limit: 500 }), { signal }),
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

const LOG_PAGE = 1_000
/** How many of a log's last lines the page keeps. */
export const LOG_KEPT = 5_000

/** A run's log, read on from the last line that we have; asked every second while the run goes on. */
export function useLog(id: string, level: LogLevel, growing: boolean) {
  const client = useQueryClient()
  const queryKey = [...keys.run(id), 'log', level]
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      let lines = client.getQueryData<LogLine[]>(queryKey) ?? []
      for (;;) {
        const after = lines.at(-1)?.n ?? 0
        const path = withQuery(`/api/runs/${encodeURIComponent(id)}/logs`, { after, limit: LOG_PAGE, level })
        const page = await request<LogPage>(path, { signal })
        if (page.items.length > 0) lines = [...lines, ...page.items].slice(-LOG_KEPT)
        if (page.items.length < LOG_PAGE) return lines
      }
    },
    refetchInterval: growing ? 1_000 : false,
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
    onSettled: () =>
      Promise.all([keys.jobs, keys.runs, ['run'], keys.status].map((queryKey) => client.invalidateQueries({ queryKey }))),
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

export function useLogin() {
  return useMutation<unknown, Error, string>({
    mutationFn: (password) => request('/api/login', { method: 'POST', body: { password } }),
  })
}

export function useLogout() {
  return useMutation({ mutationFn: () => request('/api/logout', { method: 'POST' }) })
}
