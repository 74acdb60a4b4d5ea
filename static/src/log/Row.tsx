import { Link } from 'wouter'
import type { LogLevel, LogLine } from '../api/wire'
import { count } from '../format/number'
import { exact } from '../format/time'
import type { Tone } from '../parts/State'
import { split } from './words'

const TONE: Record<LogLevel, Tone> = { debug: 'calm', info: 'calm', warning: 'wait', error: 'bad' }
/** Digits and marks of a million lines: numbers stand right-aligned without a box of their own. */
const WIDEST = 9
const TIME = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
})

interface RowProps {
  line: LogLine | undefined
  /** Which it is of those that are sought, from 0, and of how many. */
  place: number
  total: number
  picked: boolean
  /** The run has several attempts: each line says of which it is. */
  attempts: boolean
  words: string
  linkTo: (n: number) => string
}

/** One line, in as few elements as can be: there are many rows. Without the line, the room that it will take. */
export function Row({ line, place, total, picked, attempts, words, linkTo }: RowProps) {
  if (!line) return <li className="calm" aria-hidden="true" />
  return (
    <li
      className={picked ? `${TONE[line.level]} picked` : TONE[line.level]}
      aria-posinset={place + 1}
      aria-setsize={total}
      aria-current={picked || undefined}
    >
      <Link href={linkTo(line.n)} replace tabIndex={-1} title={`${exact(line.at)}; click to keep this line in the address`}>
        {`${count(line.n).padStart(WIDEST)}  ${TIME.format(new Date(line.at))}`}
      </Link>
      <span>
        {line.level}
        {attempts && line.attempt !== null && ` · attempt ${line.attempt}`}
      </span>
      <span className="text">
        {line.stream && <strong>{line.stream}: </strong>}
        <Marked text={line.message} words={words} />
      </span>
    </li>
  )
}

function Marked({ text, words }: { text: string; words: string }) {
  if (!words) return text
  return split(text, words).map((part, index) => (index % 2 === 1 ? <mark key={index}>{part}</mark> : part))
}
