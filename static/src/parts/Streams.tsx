import { useState } from 'react'
import type { Progress, Usual, UsualStream } from '../api/wire'
import { useNow } from '../format/now'
import { bytes, count, perSecond } from '../format/number'
import { compared, mean, rate, sampled, type Sample } from '../format/rate'
import { State } from './State'
import { Time } from './Time'

/** What each stream of a run has moved, live; compared with `usual`, where that is known. */
export function Streams({ progress, usual = null }: { progress: Record<string, Progress>; usual?: Usual | null }) {
  return (
    <table aria-label="Streams">
      <thead>
        <tr>
          <th scope="col">Stream</th>
          <th scope="col">State</th>
          <th scope="col" className="number mid">
            Read
          </th>
          <th scope="col" className="number">
            Written
          </th>
          <th scope="col" className="number mid">
            Rows/s
          </th>
          <th scope="col" className="number mid">
            Bytes
          </th>
          <th scope="col" className="wide">
            Checkpoint
          </th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(progress).map(([name, stream]) => (
          <StreamRow key={name} name={name} stream={stream} usual={usual?.streams[name] ?? null} />
        ))}
      </tbody>
    </table>
  )
}

function StreamRow({ name, stream, usual }: { name: string; stream: Progress; usual: UsualStream | null }) {
  const running = stream.state === 'running'
  const pace = useRate(stream.written, running)
  const shown = running ? pace : mean(stream)
  const all = running ? stream.total : null
  return (
    <tr>
      <th scope="row">
        <span className="primary">{name}</span>
        {running && <Meter done={stream.written} total={all} label={`${name}: rows written`} />}
        {running && all !== null && all > 0 && <span className="under">of {count(all)} rows</span>}
        {usual && (all === null || all <= 0) && <Comparison stream={stream} usual={usual} />}
        <span className="under narrow">
          {count(stream.read)} read{shown !== null && `, ${perSecond(shown)}`}
          {running && stream.last_write_at && (
            <>
              , wrote <Time at={stream.last_write_at} />
            </>
          )}
        </span>
      </th>
      <td>
        <State state={stream.state} />
      </td>
      <td className="number mid">{count(stream.read)}</td>
      <td className="number">
        {count(stream.written)}
        {stream.deleted > 0 && <span className="under">−{count(stream.deleted)} deleted</span>}
      </td>
      <td className="number mid">
        {shown === null ? <span className="muted">–</span> : perSecond(shown)}
        {running && stream.last_write_at && (
          <span className="under">
            wrote <Time at={stream.last_write_at} />
          </span>
        )}
      </td>
      <td className="number mid">{bytes(stream.bytes)}</td>
      <td className="wide">
        <Checkpoint value={stream.checkpoint} />
      </td>
    </tr>
  )
}

/** How far a stream is against its usual self: a hint, no promise, so it has no bar. */
function Comparison({ stream, usual }: { stream: Progress; usual: UsualStream }) {
  const words = compared(stream.written, usual.written, stream.state === 'running')
  return words && <span className="under">{words}</span>
}

/** Where reading goes on; the connector's own JSON, cut to a line with the whole on hover. */
function Checkpoint({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="muted">–</span>
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return (
    <code title={text} className="muted">
      {text.length > 42 ? `${text.slice(0, 41)}…` : text}
    </code>
  )
}

/** A bar of known length where the total is known, one that only says "moving" where it is not. */
export function Meter({ done, total, label }: { done: number; total: number | null; label: string }) {
  if (total === null || total <= 0) {
    return (
      <span className="meter unknown" role="progressbar" aria-label={label}>
        <span />
      </span>
    )
  }
  const share = Math.min(100, Math.round((done / total) * 100))
  return (
    <span className="meter" role="progressbar" aria-label={label} aria-valuenow={share} aria-valuemin={0} aria-valuemax={100}>
      <span style={{ inlineSize: `${share}%` }} />
    </span>
  )
}

/** How fast `value` grows, a second, while `active`; looked at once a second. */
export function useRate(value: number, active: boolean): number | null {
  const now = useNow()
  const [seen, setSeen] = useState<{ now: number; samples: Sample[] }>({ now: 0, samples: [] })
  if (active && seen.now !== now) setSeen({ now, samples: sampled(seen.samples, now, value) })
  return active ? rate(seen.samples) : null
}
