/** What an event changes in what the page already knows. */
import type { QueryClient, QueryKey } from '@tanstack/react-query'
import { briefOf, markOf } from '../format/run'
import type { LiveEvent } from './live'
import { pause } from './pace'
import { keys } from './queries'
import type { Job, JobList, Run, RunList, Status } from './wire'

export const EVENT_TYPES = ['run', 'job', 'lease', 'instance', 'connection'] as const

/** Questions that changed together are asked anew together. */
const GATHER_MS = 250

/** After a run has ended: by then it is told to whom it may concern. */
const TOLD_MS = 4_000

const OF_RUNS: QueryKey[] = [keys.runs, keys.jobs, keys.status]
const OVER_ALL: QueryKey[] = [keys.summary, keys.needs, keys.timeline, keys.throughput]

interface Listener {
  onEvent: (event: LiveEvent) => void
  onChange: () => void
}

/** `held`: a person paused the page. Nothing is asked then; going on asks everything anew. */
export function listener(client: QueryClient, held: () => boolean = () => false): Listener {
  const askSoon = gatherer(client, () => GATHER_MS, held)
  const askLater = gatherer(client, pause, held)
  const askTold = gatherer(client, () => TOLD_MS, held)
  return {
    onChange: () => void client.invalidateQueries(),
    onEvent: ({ type, data }) => {
      switch (type) {
        case 'run':
          if (isRun(data)) {
            if (applyRun(client, data)) break
            askSoon(...OF_RUNS, keys.job(data.job_id))
          } else askSoon(...OF_RUNS, keys.everyJob, keys.everyRun)
          askLater(...OVER_ALL)
          askTold(keys.told)
          break
        case 'job':
          askSoon(keys.jobs, keys.everyJob)
          askLater(...OVER_ALL)
          break
        case 'connection':
          askSoon(keys.connections)
          break
        default:
          askSoon(keys.status, keys.instances)
      }
    },
  }
}

/** Asks questions anew, `wait()` ms after the first of them became old. */
function gatherer(client: QueryClient, wait: () => number, held: () => boolean): (...queryKeys: QueryKey[]) => void {
  const stale = new Map<string, QueryKey>()
  let timer: ReturnType<typeof setTimeout> | undefined
  return (...queryKeys) => {
    for (const queryKey of queryKeys) stale.set(JSON.stringify(queryKey), queryKey)
    timer ??= setTimeout(() => {
      timer = undefined
      const due = [...stale.values()]
      stale.clear()
      if (held()) return
      for (const queryKey of due) void client.invalidateQueries({ queryKey })
    }, wait())
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
  const inJob = (job: Job): Job => {
    if (job.id !== run.job_id || job.last_run?.id !== run.id) return job
    known ||= job.last_run.state === run.state
    const recent = job.recent_runs.map((one) => (one.id === run.id ? markOf(run, one) : one))
    return { ...job, last_run: briefOf(run), recent_runs: recent }
  }
  client.setQueriesData<RunList>({ queryKey: keys.runs }, (list) => list && { ...list, items: replaced(list.items) })
  client.setQueryData<Status>(keys.status, (status) => status && { ...status, running: replaced(status.running) })
  client.setQueryData<Run>(keys.run(run.id), (one) => one && replaced([one])[0])
  client.setQueriesData<JobList>({ queryKey: keys.jobs }, (list) => list && { ...list, items: list.items.map(inJob) })
  client.setQueryData<Job>(keys.job(run.job_id), (job) => job && inJob(job))
  return known
}
