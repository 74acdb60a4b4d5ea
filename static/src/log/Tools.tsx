import { useMutation } from '@tanstack/react-query'
import { useState, type SubmitEvent, type ReactNode } from 'react'
import type { Sought } from '../api/log'
import type { LogLevel, LogOutline } from '../api/wire'
import { count, plural } from '../format/number'
import { Said } from '../parts/Act'
import { Icon } from '../parts/Icon'

const LEVELS: [level: LogLevel, label: string, counted: LogLevel[]][] = [
  ['debug', 'All', []],
  ['info', 'Info', []],
  ['warning', 'Warnings', ['warning', 'error']],
  ['error', 'Errors', ['error']],
]

export function isLevel(text: string | null): text is LogLevel {
  return LEVELS.some(([level]) => level === text)
}

interface ToolsProps {
  sought: Sought
  /** Null while it is counted. */
  outline: LogOutline | null
  attempts: number[]
  wrap: boolean
  onLevel: (level: LogLevel) => void
  onWords: (words: string) => void
  onAttempt: (attempt: number | null) => void
  onWrap: (wrap: boolean) => void
  onLine: (n: number) => void
  copy: () => Promise<number>
  file: string
}

/** What narrows a log, and what takes one through it. */
export function Tools(props: ToolsProps) {
  const { sought, outline, attempts, wrap, onLevel, onAttempt, onWrap, onLine, file } = props
  const error = outline?.first_error ?? null
  return (
    <div className="log-tools">
      <Words words={sought.q} onWords={props.onWords} />
      <div className="segments" role="group" aria-label="Least level shown">
        {LEVELS.map(([level, label, counted]) => (
          <button key={level} type="button" aria-pressed={sought.level === level} onClick={() => onLevel(level)}>
            {label}
            {outline && counted.length > 0 && ` ${count(counted.reduce((sum, one) => sum + (outline.levels[one] ?? 0), 0))}`}
          </button>
        ))}
      </div>
      {(attempts.length > 1 || sought.attempt !== null) && (
        <select
          className="field"
          aria-label="Attempt"
          value={sought.attempt ?? ''}
          onChange={(event) => onAttempt(Number(event.target.value) || null)}
        >
          <option value="">all attempts</option>
          {[...new Set([...attempts, ...(sought.attempt === null ? [] : [sought.attempt])])].map((one) => (
            <option key={one} value={one}>
              attempt {one}
            </option>
          ))}
        </select>
      )}
      <button type="button" className="button little" disabled={error === null} onClick={() => error !== null && onLine(error)}>
        <Icon name="alert" size={13} /> First error
      </button>
      <LineField onLine={onLine} />
      <span className="log-take">
        <label className="check">
          <input type="checkbox" checked={wrap} onChange={(event) => onWrap(event.target.checked)} /> Wrap
        </label>
        <CopyButton copy={props.copy} />
        <a className="button little" href={file} download>
          <Icon name="down" size={13} /> Download
        </a>
      </span>
    </div>
  )
}

/** What is typed is sought when typing pauses. */
function Words({ words, onWords }: { words: string; onWords: (words: string) => void }) {
  const [typed, setTyped] = useState(words)
  const [known, setKnown] = useState(words)
  const [timer, setTimer] = useState<ReturnType<typeof setTimeout>>()
  if (known !== words) {
    setKnown(words)
    setTyped(words) // another place changed it: Back, or "clear"
  }
  return (
    <input
      type="search"
      className="field"
      data-search
      aria-label="Find in the log"
      placeholder="Find in the log"
      maxLength={200}
      value={typed}
      onChange={(event) => {
        const next = event.target.value
        setTyped(next)
        clearTimeout(timer)
        setTimer(setTimeout(() => {
          setKnown(next)
          onWords(next)
        }, 300))
      }}
    />
  )
}

function LineField({ onLine }: { onLine: (n: number) => void }) {
  const [typed, setTyped] = useState('')
  const go = (event: SubmitEvent) => {
    event.preventDefault()
    const n = Number(typed.replaceAll(/[,\s]/g, ''))
    if (Number.isInteger(n) && n > 0) onLine(n)
  }
  return (
    <form className="log-line" onSubmit={go}>
      <input
        className="field"
        inputMode="numeric"
        aria-label="Go to line"
        placeholder="Line"
        size={6}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </form>
  )
}

function CopyButton({ copy }: { copy: () => Promise<number> }) {
  const deed = useMutation<number>({ mutationFn: copy })
  return (
    <>
      <button type="button" className="button little" disabled={deed.isPending} onClick={() => deed.mutate()}>
        {deed.isPending ? 'Copying…' : deed.data === undefined ? 'Copy' : `Copied ${plural(deed.data, 'line')}`}
      </button>
      {deed.error && <Said deeds={[deed]} />}
    </>
  )
}

/** A line that is kept in the address: how to send it to somebody, and how to let it go. */
export function Picked({ n, copy, onClear }: { n: number; copy: ReactNode; onClear: () => void }) {
  return (
    <div className="log-picked">
      <span>Line {count(n)}</span>
      {copy}
      <button type="button" className="button little bare" onClick={onClear}>
        Let go
      </button>
    </div>
  )
}
