/** What is asked of one job, and done to it, beside running it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { request, withQuery } from './client'
import { idFor } from '../forms/steps'
import { keys } from './queries'
import type { CheckpointList, DryRun, Job, JobList, ResetDone, Run, SchedulePreview, SchedulePreviewed, Timeline } from './wire'

/** A dry run reads what a run would read. */
const DRY_RUN_MS = 120_000

/** A job as it is written: what is left out has its default. */
export type Draft = Record<string, unknown>

const at = (id: string, rest = '') => `/api/jobs/${encodeURIComponent(id)}${rest}`

export function useCheckpoints(id: string) {
  return useQuery({
    queryKey: [...keys.job(id), 'checkpoints'],
    queryFn: ({ signal }) => request<CheckpointList>(at(id, '/checkpoints'), { signal }),
  })
}

/** Sent once; then everything that it may have changed is asked anew. */
function useJobMutation<T, V>(id: string, send: (value: V) => Promise<T>) {
  const client = useQueryClient()
  return useMutation<T, Error, V>({
    mutationFn: send,
    onSettled: () =>
      Promise.all([keys.job(id), keys.jobs, keys.runs, ['audit']].map((queryKey) => client.invalidateQueries({ queryKey }))),
  })
}

/** Forget where a stream is. `null`: of all streams. */
export function useReset(id: string) {
  return useJobMutation<ResetDone, string | null>(id, (stream) =>
    request(at(id, '/reset'), { method: 'POST', body: { stream } }),
  )
}

/** Forget where a stream is, and run the job: it is read from its beginning at once. */
export function useResync(id: string) {
  return useJobMutation<Run, string>(id, async (stream) => {
    await request<ResetDone>(at(id, '/reset'), { method: 'POST', body: { stream } })
    return runNow(id)
  })
}

export function useVerify(id: string) {
  return useJobMutation<Run, { stream: string | null; repair: boolean }>(id, (body) =>
    request(at(id, '/verify'), { method: 'POST', body }),
  )
}

export function useUndo(id: string) {
  return useJobMutation<Run, string | null>(id, (stream) => request(at(id, '/undo'), { method: 'POST', body: { stream } }))
}

/** What the next run would do; of `draft`, where one is given, as if it were saved. */
export function useDryRun(id: string) {
  return useMutation<DryRun, Error, Draft | null>({
    mutationFn: (draft) =>
      request<DryRun>(at(id, '/dry-run'), { method: 'POST', body: draft === null ? {} : { draft }, patience: DRY_RUN_MS }),
  })
}

export function useSaveJob(id: string) {
  return useJobMutation<Job, { draft: Draft; revision: number }>(id, ({ draft, revision }) =>
    request(at(id), { method: 'PUT', body: draft, revision }),
  )
}

export function useCreateJob() {
  const client = useQueryClient()
  return useMutation<Job, Error, Draft>({
    mutationFn: (draft) => request<Job>('/api/jobs', { method: 'POST', body: draft }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.jobs }),
  })
}

/** A name for a new job that no other has. */
export function useFreeId(draft: Draft, enabled: boolean): string | undefined {
  const begun = idFor(draft, new Set())
  const taken = useQuery({
    queryKey: ['taken', begun],
    queryFn: async ({ signal }) => {
      const found = await request<JobList>(withQuery('/api/jobs', { q: `id:"${begun}"`, limit: 200 }), { signal })
      return found.items.map(({ id }) => id)
    },
    enabled,
    refetchInterval: false,
  })
  return taken.data && idFor(draft, new Set(taken.data))
}

/** After the job was made: its first run. */
export function runNow(id: string): Promise<Run> {
  return request<Run>(at(id, '/run'), { method: 'POST' })
}

/** `onGone` comes first: what is still shown of it would else be asked for once more, and not be found. */
export function useDeleteJob(id: string, revision: number, onGone: () => void) {
  const client = useQueryClient()
  return useMutation<null>({
    mutationFn: () => request<null>(at(id), { method: 'DELETE', revision }),
    onSuccess: () => {
      onGone()
      void client.invalidateQueries({ queryKey: keys.jobs })
    },
  })
}

/** The next fire times of a schedule that need not be saved; null asks nothing. */
export function useSchedulePreview(schedule: SchedulePreview | null) {
  return useQuery({
    queryKey: ['schedule', schedule],
    queryFn: ({ signal }) =>
      request<SchedulePreviewed>('/api/schedules/preview', { method: 'POST', body: schedule, signal }),
    enabled: schedule !== null,
    placeholderData: (before) => before,
    refetchInterval: false,
    staleTime: 10_000,
    retry: false,
  })
}

/** What else will run between now and `until`: jobs of this connection with their predicted runs. */
export function useAhead(connection: string | null, end: 'source' | 'destination', until: string | null) {
  return useQuery({
    queryKey: ['ahead', connection, end, until],
    queryFn: ({ signal }) =>
      request<Timeline>(withQuery('/api/timeline', { q: `${end}:"${connection}"`, until, buckets: 500, limit: 50 }), { signal }),
    enabled: connection !== null && until !== null,
    placeholderData: (before) => before,
    refetchInterval: false,
    staleTime: 30_000,
    retry: false,
  })
}
