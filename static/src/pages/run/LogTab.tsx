import { useCallback, useState } from 'react'
import { useSearchParams } from 'wouter'
import { address, useAddress } from '../../address'
import {
  CHUNK,
  isAll,
  linesFrom,
  logFile,
  partsOf,
  partWith,
  placeOf,
  useLogMarks,
  useLogOutline,
  useLogParts,
  type Sought,
} from '../../api/log'
import type { LogMarks, Run } from '../../api/wire'
import { copyText } from '../../copy'
import { count, plural } from '../../format/number'
import { isFinal } from '../../format/run'
import { Lines } from '../../log/Lines'
import { isLevel, Picked, Tools } from '../../log/Tools'
import { printed } from '../../log/words'
import { Blank, Fault } from '../../parts/Blank'
import { Copy } from '../../parts/Copy'
import { Loaded } from '../../parts/Loaded'

/** So many lines go onto the clipboard; more of them are a file. */
const COPIED = 5_000

/** `/runs/ID?tab=log&level=&q=&attempt=&line=&wrap=`: what the run says. `line=error` is the first error. */
export function LogTab({ run }: { run: Run }) {
  const [query, change] = useAddress()
  const level = query.get('level')
  const sought: Sought = {
    level: isLevel(level) ? level : 'debug',
    q: query.get('q') ?? '',
    attempt: Number(query.get('attempt')) || null,
  }
  const growing = !isFinal(run)
  const [jumps, setJumps] = useState(0)
  const marks = useLogMarks(run.id, sought, growing)
  const outline = useLogOutline(run.id, growing)
  const attempts = [...new Set([...run.attempts.map((one) => one.attempt), ...(run.attempt ? [run.attempt] : [])])]
  const asked = query.get('line')
  const line = asked === 'error' ? (outline.data?.first_error ?? null) : Number(asked) || null
  const narrow = (changes: Record<string, string | null>) => change({ ...changes, line: null }, { replace: true })

  const copy = async () => {
    const lines = await linesFrom(run.id, sought, COPIED)
    await copyText(lines.map(printed).join('\n'))
    return lines.length
  }
  return (
    <section className="panel" aria-label="Log">
      <Tools
        sought={sought}
        outline={outline.data ?? null}
        attempts={attempts}
        wrap={query.get('wrap') !== 'off'}
        onLevel={(next) => narrow({ level: next === 'debug' ? null : next })}
        onWords={(q) => narrow({ q })}
        onAttempt={(attempt) => narrow({ attempt: attempt === null ? null : `${attempt}` })}
        onWrap={(wrap) => change({ wrap: wrap ? null : 'off' }, { replace: true })}
        onLine={(n) => {
          setJumps((before) => before + 1)
          change({ line: `${n}`, q: null, ...(isHidden(sought) ? { level: null, attempt: null } : {}) })
        }}
        copy={copy}
        file={logFile(run.id)}
      />
      {outline.data && outline.data.dropped > 0 && (
        <p className="log-told wait">
          {plural(outline.data.dropped, 'line was', 'lines were')} said and not kept: an attempt keeps 10,000 and its errors. The log
          says where.
        </p>
      )}
      {line !== null && (
        <Picked
          n={line}
          copy={<Copy label="Copy link" text={new URL(address(`/runs/${run.id}`, query, { line: `${line}` }), window.location.href).href} />}
          onClear={() => change({ line: null }, { replace: true })}
        />
      )}
      <Loaded asked={marks} lines={12}>
        {(found) =>
          found.count > 0 ? (
            <Shown run={run} sought={sought} marks={found} line={line} jumps={jumps} several={attempts.length > 1} />
          ) : (
            <Nothing run={run} sought={sought} lines={found.lines} onClear={() => change({ level: null, q: null, attempt: null })} />
          )
        }
      </Loaded>
    </section>
  )
}

/** A line that is gone to might be left out by what is sought besides a level. */
function isHidden({ level, attempt }: Sought): boolean {
  return level !== 'debug' || attempt !== null
}

interface ShownProps {
  run: Run
  sought: Sought
  marks: LogMarks
  line: number | null
  /** How often a line was asked for: the same one may be gone to again. */
  jumps: number
  several: boolean
}

function Shown({ run, sought, marks, line, jumps, several }: ShownProps) {
  const [query] = useSearchParams()
  const [{ first, last }, setView] = useState({ first: 0, last: 0 })
  const onView = useCallback((from: number, until: number) => setView({ first: from, last: until }), [])
  const wanted = line === null || isAll(sought) ? null : partWith(line, marks)
  const seen = partsOf(first, Math.max(last, first + 1), marks.marks.length)
  const parts = useLogParts(run.id, sought, marks, wanted === null || seen.includes(wanted) ? seen : [...seen, wanted])
  const place = line === null ? null : isAll(sought) ? Math.min(line, marks.count) - 1 : placeOf(line, marks, parts.lines)
  if (parts.error && parts.lines.size === 0) return <Fault error={parts.error} onRetry={() => void parts.refetch()} />
  return (
    <>
      <Lines
        key={`${sought.level} ${sought.attempt} ${sought.q}`}
        total={marks.count}
        lineAt={(at) => parts.lines.get(Math.floor(at / CHUNK))?.[at % CHUNK]}
        onView={onView}
        growing={!isFinal(run)}
        wrap={query.get('wrap') !== 'off'}
        words={sought.q}
        attempts={several}
        picked={line}
        goTo={place === null ? null : { place, key: `${line} ${jumps}` }}
        linkTo={(n) => address(`/runs/${run.id}`, query, { line: `${n}` })}
      />
      <p className="log-foot" role="status">
        {isAll(sought) ? plural(marks.count, 'line') : `${count(marks.count)} of ${plural(marks.lines, 'line')}`}
      </p>
    </>
  )
}

function Nothing({ run, sought, lines, onClear }: { run: Run; sought: Sought; lines: number; onClear: () => void }) {
  if (lines > 0 && !isAll(sought)) {
    return (
      <Blank icon="runs" title="Nothing matches">
        <p>The log has {plural(lines, 'line')}, but none like that.</p>
        <button type="button" className="button" onClick={onClear}>
          Show all lines
        </button>
      </Blank>
    )
  }
  if (run.state === 'skipped' || run.state === 'missed') return <Blank icon="runs" title={`It was ${run.state}, so it said nothing`} />
  return <Blank icon="runs" title={isFinal(run) ? 'It said nothing' : 'No lines yet'} />
}
