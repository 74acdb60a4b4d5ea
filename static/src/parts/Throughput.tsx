import { useRef, useState, type KeyboardEvent } from 'react'
import type { Bucket, Throughput as Shape } from '../api/wire'
import { bytes, count, plural } from '../format/number'
import { compact, roundTop } from '../format/scale'
import { ticksOf } from '../format/ticks'
import { exact } from '../format/time'
import { useWidth } from './useWidth'

const HEIGHT = 132
const TOP = 8
/** Under the bars: failed runs, each time with its mark. */
const FOOT = 14
const FLOOR = HEIGHT - FOOT

/** Rows written over time as bars, and failed runs under them; the same as a table for who cannot see them. */
export function Throughput({ throughput: { items, since, until } }: { throughput: Shape }) {
  const frame = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const [chosen, setChosen] = useState<number | null>(null)
  const top = roundTop(Math.max(...items.map((one) => one.written), 0))
  const step = width / Math.max(1, items.length)
  const bucket = chosen === null ? undefined : items[chosen]
  const last = items.length - 1

  const onKeyDown = (event: KeyboardEvent) => {
    const from = chosen ?? last
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key]
    if (to === undefined) return
    event.preventDefault()
    setChosen(Math.min(last, Math.max(0, to)))
  }

  return (
    <div className="throughput">
      <p className="throughput-said" aria-hidden="true">
        {bucket ? <Said bucket={bucket} /> : <Sum items={items} />}
      </p>
      <div
        ref={frame}
        className="throughput-picture"
        role="slider"
        tabIndex={0}
        aria-label="Rows written over time"
        aria-valuemin={1}
        aria-valuemax={items.length}
        aria-valuenow={(chosen ?? last) + 1}
        aria-valuetext={words(items[chosen ?? last])}
        onKeyDown={onKeyDown}
        onBlur={() => setChosen(null)}
        onMouseMove={(event) => {
          const x = event.clientX - event.currentTarget.getBoundingClientRect().left
          setChosen(Math.min(last, Math.max(0, Math.floor(x / step))))
        }}
        onMouseLeave={() => setChosen(null)}
      >
        <svg width={width} height={HEIGHT} viewBox={`0 0 ${Math.max(1, width)} ${HEIGHT}`} aria-hidden="true">
          <path className="throughput-grid" d={`M0 ${TOP}.5H${width}M0 ${(TOP + FLOOR) / 2}.5H${width}M0 ${FLOOR}.5H${width}`} />
          {chosen !== null && <rect className="throughput-chosen" x={chosen * step} y="0" width={step} height={HEIGHT} />}
          <path className="throughput-rows" d={rowBars(items, top, step)} />
          <path className="throughput-failed" d={failedMarks(items, step)} />
          <text x="4" y={TOP + 12}>
            {compact(top)} rows
          </text>
        </svg>
        <div className="throughput-axis" aria-hidden="true">
          {ticksOf(Date.parse(since), Date.parse(until), Math.max(1, width)).map(({ at, label }) => (
            <span key={at} style={{ insetInlineStart: `${((at - Date.parse(since)) / (Date.parse(until) - Date.parse(since))) * 100}%` }}>
              {label}
            </span>
          ))}
        </div>
      </div>
      <Table items={items} />
    </div>
  )
}

function rowBars(items: readonly Bucket[], top: number, step: number): string {
  const gap = step > 5 ? 2 : step > 2 ? 1 : 0
  return items
    .map(({ written }, index) => {
      if (written === 0) return ''
      const height = Math.max(1.5, (written / top) * (FLOOR - TOP))
      return `M${(index * step + gap / 2).toFixed(1)} ${FLOOR}v${(-height).toFixed(1)}h${(step - gap).toFixed(1)}V${FLOOR}z`
    })
    .join('')
}

function failedMarks(items: readonly Bucket[], step: number): string {
  return items
    .map(({ failed }, index) => (failed === 0 ? '' : `M${(index * step + step / 2).toFixed(1)} ${FLOOR + 3}l4 4-4 4-4-4z`))
    .join('')
}

function Said({ bucket }: { bucket: Bucket }) {
  return (
    <>
      <strong>{plural(bucket.written, 'row')} written</strong>, {bytes(bucket.bytes)}, {plural(bucket.runs, 'run')}
      {bucket.failed > 0 && <span className="bad"> · {count(bucket.failed)} failed</span>}
      <span className="muted"> from {exact(bucket.start)}</span>
    </>
  )
}

function Sum({ items }: { items: readonly Bucket[] }) {
  const sum = (of: 'written' | 'bytes' | 'runs' | 'failed') => items.reduce((total, one) => total + one[of], 0)
  return (
    <>
      <strong>{plural(sum('written'), 'row')} written</strong>, {bytes(sum('bytes'))}, {plural(sum('runs'), 'run')}
      {sum('failed') > 0 && <span className="bad"> · ◆ {count(sum('failed'))} failed</span>}
    </>
  )
}

function words(bucket: Bucket | undefined): string {
  if (!bucket) return 'nothing'
  const failed = bucket.failed > 0 ? `, ${count(bucket.failed)} failed` : ''
  return `from ${exact(bucket.start)}: ${plural(bucket.written, 'row')} written, ${plural(bucket.runs, 'run')}${failed}`
}

function Table({ items }: { items: readonly Bucket[] }) {
  const [open, setOpen] = useState(false)
  const told = items.filter((one) => one.runs > 0)
  return (
    <details className="small" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {open && (
        <div className="throughput-table">
          <table aria-label="Rows written over time">
            <thead>
              <tr>
                {['From', 'Runs', 'Failed', 'Rows read', 'Rows written', 'Bytes'].map((name, place) => (
                  <th key={name} scope="col" className={place > 0 ? 'number' : undefined}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {told.map((one) => (
                <tr key={one.start}>
                  <th scope="row">{exact(one.start)}</th>
                  {[one.runs, one.failed, one.read, one.written].map((value, place) => (
                    <td key={place} className="number">
                      {count(value)}
                    </td>
                  ))}
                  <td className="number">{bytes(one.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {told.length === 0 && <p className="muted">No run ended in this time.</p>}
        </div>
      )}
    </details>
  )
}
