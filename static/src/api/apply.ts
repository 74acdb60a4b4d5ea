/** What an event changes in what the page already knows. */
import type { QueryClient, QueryKey } from '@tanstack/react-query'
import type { LiveEvent } from './live'
import { keys } from './queries'
import type { Job, JobList, Run, RunList } from './wire'

export const EVENT_TYPES = ['run', 'job', 'lease', 'instance', 'connection'] as const

/** Questions that changed together are asked anew together. */
const GATHER_MS = 250

export function listener(client: QueryClient): { onEvent: (event: LiveEvent) => void; onChange: () => void } {
  const stale = new Map<string, QueryKey>()
  let timer: ReturnType<typeof setTimeout> | undefined

  const askAnew = (...queryKeys: QueryKey[]) => {
    for (const queryKey of queryKeys) stale.set(JSON.stringify(queryKey), queryKey)
    timer ??= setTimeout(() => {
      timer = undefined
      const due = [...stale.values()]
      stale.clear()
      for (const queryKey of due) void client.invalidateQueries({ queryKey })
    }, GATHER_MS)
  }

  return {
    onChange: () => void client.invalidateQueries(),
    onEvent: ({ type, data }) => {
      switch (type) {
        case 'run':
          if (isRun(data)) {
            const known = applyRun(client, data)
            if (!known) askAnew(keys.runs, keys.jobs, keys.status)
          } else askAnew(keys.runs, keys.jobs, keys.status, ['run'])
          break
        case 'job':
          askAnew(keys.jobs)
          break
        case 'connection':
          askAnew(keys.connections)
          break
        default:
          askAnew(keys.status, keys.instances)
      }
    },
  }
}

function isRun(data: unknown): data is Run {
  return typeof data === 'object' && data !== null && 'id' in data && 'job_id' in data && 'progress' in data
}

/** Put `run` wherever it is shown; false where it is new, or came into another state, so that more than it changed. */
export function applyRun(client: QueryClient, run: Run): boolean {
  let known = false
  const replaced = (runs: Run[]): Run[] =>
    runs.map((one) => {
      if (one.id !== run.id) return one
      known ||= one.state === run.state
      return run
    })
  client.setQueriesData<RunList>({ queryKey: keys.runs }, (list) => list && { ...list, items: replaced(list.items) })
  client.setQueryData<Run>(keys.run(run.id), (one) => one && run)
  const inJob = (job: Job): Job =>
    job.id === run.job_id && job.last_run?.id === run.id
      ? { ...job, last_run: run, recent_runs: replaced(job.recent_runs) }
      : job
  client.setQueryData<JobList>(keys.jobs, (list) => list && { ...list, items: list.items.map(inJob) })
  client.setQueryData<Job>(keys.job(run.job_id), (job) => job && inJob(job))
  return known
}
