import type { Run } from '../api/wire'

export type Spanned = Pick<Run, 'id' | 'sequence' | 'state' | 'queued_at' | 'started_at' | 'finished_at'>

/** The run that was active at an instant: queued or running, from being asked for to its end. */
export function activeAt(runs: readonly Spanned[], at: string): Spanned | undefined {
  const when = Date.parse(at)
  return runs.find(({ state, queued_at, started_at, finished_at }) => {
    if (state === 'skipped' || state === 'missed') return false
    const from = Date.parse(started_at !== null && started_at < queued_at ? started_at : queued_at)
    return from <= when && (finished_at === null || when <= Date.parse(finished_at))
  })
}
