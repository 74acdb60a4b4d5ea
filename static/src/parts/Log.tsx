import { useEffect, useRef, useState } from 'react'
import type { LogLevel, LogLine } from '../api/wire'
import { exact } from '../format/time'
import { Icon } from './Icon'
import type { Tone } from './State'

const TONE: Record<LogLevel, Tone> = { debug: 'calm', info: 'calm', warning: 'wait', error: 'bad' }
/** How far from the end still counts as the end, in px. */
const SLACK = 24

/** A run's log. It follows the end until the reader scrolls up, and again when they come back down. */
export function Log({ lines, follow: live }: { lines: LogLine[]; follow: boolean }) {
  const list = useRef<HTMLOListElement>(null)
  const [follows, setFollows] = useState(true)

  useEffect(() => {
    const element = list.current
    if (element && follows) element.scrollTop = element.scrollHeight
  }, [lines, follows])

  const onScroll = () => {
    const element = list.current
    if (element) setFollows(element.scrollHeight - element.scrollTop - element.clientHeight < SLACK)
  }

  return (
    <div className="log">
      <ol ref={list} onScroll={onScroll} tabIndex={0} aria-label="Log lines">
        {lines.map((line) => (
          <li key={line.n} className={TONE[line.level]}>
            <span>{line.n}</span>
            <time dateTime={line.at} title={exact(line.at)}>
              {new Date(line.at).toLocaleTimeString('en-GB')}
            </time>
            <span>{line.level}</span>
            <span className="text">
              {line.stream && <strong>{line.stream}: </strong>}
              {line.message}
            </span>
          </li>
        ))}
      </ol>
      {!follows && live && (
        <button type="button" className="button follow" onClick={() => setFollows(true)}>
          <Icon name="down" size={13} /> Follow
        </button>
      )}
    </div>
  )
}
