import { useState } from 'react'
import type { Progress } from '../api/wire'
import { useNow } from '../format/now'
import { bytes, count, perSecond } from '../format/number'
import { rate, sampled, type Sample } from '../format/rate'
import { State } from './State'

/** What each stream of a run has moved, live. */
export function Streams({ progress }: { progress: Record<string, Progress> }) {
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
          <StreamRow key={name} name={name} stream={stream} />
        ))}
      </tbody>
    </table>
  )
}

function StreamRow({ name, stream }: { name: string; stream: Progress }) {
  const running = stream.state === 'running'
  const pace = useRate(stream.written, running)
  return (
    <tr>
      <th scope="row">
        <span className="primary">{name}</span>
        {running && <Meter done={stream.written} total={stream.total} label={`${name}: rows written`} />}
        <span className="under narrow">
          {count(stream.read)} read{pace !== null && `, ${perSecond(pace)}`}
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
      <td className="number mid">{pace === null ? <span className="muted">–</span> : perSecond(pace)}</td>
      <td className="number mid">{bytes(stream.bytes)}</td>
      <td className="wide">
        <Checkpoint value={stream.checkpoint} />
      </td>
    </tr>
  )
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
