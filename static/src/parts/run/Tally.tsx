import type { Run } from '../../api/wire'
import { useNow } from '../../format/now'
import { bytes, count, perSecond } from '../../format/number'
import { timeTaken, totals } from '../../format/run'
import { shares, stepsOf } from '../../format/steps'
import { duration } from '../../format/time'
import { useRate } from '../Streams'

/** What the run has moved in all. */
export function Tally({ run }: { run: Run }) {
  const now = useNow()
  const running = run.state === 'running'
  const moved = totals(run.progress)
  const took = timeTaken(run, now)
  const pace = useRate(moved.written, running)
  const worked = shares(run, stepsOf(run), now).worked
  const speed = running ? pace : worked > 0 ? (moved.written * 1000) / worked : null
  return (
    <div className="panel panel-body">
      <div className="tally">
        <Figure value={count(moved.read)} name="rows read" />
        <Figure value={count(moved.written)} name="rows written" />
        {moved.deleted > 0 && <Figure value={count(moved.deleted)} name="rows deleted" />}
        <Figure value={speed === null ? '–' : perSecond(speed)} name={running ? 'rows a second, now' : 'rows a second'} />
        <Figure value={bytes(moved.bytes)} name="moved" />
        <Figure value={took === null ? '–' : duration(took / 1000)} name={running ? 'so far' : 'taken'} />
      </div>
    </div>
  )
}

function Figure({ value, name }: { value: string; name: string }) {
  return (
    <div>
      <strong>{value}</strong>
      <span>{name}</span>
    </div>
  )
}
