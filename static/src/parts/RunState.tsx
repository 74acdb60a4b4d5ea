import type { Run, RunBrief } from '../api/wire'
import { useNow } from '../format/now'
import { relative } from '../format/time'
import { State } from './State'

/** A run's state, with what is on its way: cancelling, or waiting for its next attempt. */
export function RunState({ run }: { run: Run | RunBrief }) {
  const now = useNow()
  if (run.state === 'running' && run.cancel) return <State state="running">cancelling</State>
  const due = run.state === 'queued' && run.not_before ? Date.parse(run.not_before) : 0
  if (due > now) return <State state="queued">tries again {relative(due, now)}</State>
  return <State state={run.state} />
}
