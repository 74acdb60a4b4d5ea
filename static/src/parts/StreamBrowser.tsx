import '../styles/forms.css'
import { useState, type ReactNode } from 'react'
import type { Stream } from '../api/wire'
import { count, plural } from '../format/number'
import { Icon } from './Icon'

interface StreamBrowserProps {
  streams: Stream[]
  /** What stands before a stream's name: a box to tick it. */
  mark?: (stream: Stream) => ReactNode
  /** What opens below a stream: its first rows. */
  preview: (stream: Stream) => ReactNode
  tools?: ReactNode
}

const SHOWN = 100

/** Streams that were found: searched, and looked into. */
export function StreamBrowser({ streams, mark, preview, tools }: StreamBrowserProps) {
  const [word, setWord] = useState('')
  const [open, setOpen] = useState<string | null>(null)
  const matching = streams.filter(({ name }) => name.toLowerCase().includes(word.trim().toLowerCase()))
  const shown = matching.slice(0, SHOWN)
  return (
    <div className="stream-browser">
      <div className="filters">
        <label>
          Find
          <input
            type="search"
            className="field"
            value={word}
            placeholder="name of a stream"
            onChange={(event) => setWord(event.target.value)}
          />
        </label>
        <span className="muted small" role="status">
          {matching.length === streams.length ? plural(streams.length, 'stream') : `${count(matching.length)} of ${plural(streams.length, 'stream')}`}
        </span>
        {tools}
      </div>
      {matching.length === 0 && <p className="muted">No stream has “{word}” in its name.</p>}
      <ul className="stream-list">
        {shown.map((stream) => (
          <li key={stream.name}>
            <div className="stream-line">
              {mark?.(stream)}
              <span className="stream-name">
                {mark ? null : <strong>{stream.name}</strong>}
                <span className="under">
                  {plural(stream.columns.length, 'column')}
                  {stream.rows !== null && ` · about ${plural(stream.rows, 'row')}`}
                  {stream.key.length > 0 && ` · key ${stream.key.join(', ')}`}
                  {stream.cursor !== null && ` · changes by ${stream.cursor}`}
                </span>
              </span>
              <button
                type="button"
                className="button little"
                aria-expanded={open === stream.name}
                aria-label={`Look into ${stream.name}`}
                onClick={() => setOpen(open === stream.name ? null : stream.name)}
              >
                <Icon name="down" size={12} /> Look
              </button>
            </div>
            {open === stream.name && preview(stream)}
          </li>
        ))}
      </ul>
      {matching.length > SHOWN && <p className="muted small">The first {SHOWN} are shown; search for the others.</p>}
    </div>
  )
}
