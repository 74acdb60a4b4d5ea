import { useStreams } from '../../api/connections'
import type { Stream } from '../../api/wire'
import { StreamPreview } from '../../deeds/StreamPreview'
import { streamsOf, suggested } from '../../forms/job'
import { put, text, type Json } from '../../forms/path'
import { plural } from '../../format/number'
import { Blank } from '../../parts/Blank'
import { Loaded } from '../../parts/Loaded'
import { StreamBrowser } from '../../parts/StreamBrowser'

interface WhatProps {
  draft: Json
  onChange: (draft: Json) => void
}

/** Which of the source's streams are copied. */
export function What({ draft, onChange }: WhatProps) {
  const source = text(draft, 'source')
  const streams = useStreams(source)
  const chosen = streamsOf(draft)
  const names = new Set(chosen.map((stream) => text(stream, 'name')))
  const toggle = (stream: Stream, on: boolean) => {
    const rest = chosen.filter((one) => text(one, 'name') !== stream.name)
    const next = on ? [...rest, suggested(stream)] : rest
    onChange(put(draft, 'streams', next.length > 0 ? next : undefined))
  }
  return (
    <>
      <p className="muted">What {source} has. How each one is read and written comes next.</p>
      <Loaded asked={streams} lines={6}>
        {(found) =>
          found.length === 0 ? (
            <Blank icon="connections" title={`Nothing to read in ${source}`}>
              <p>The connection answers, and has no tables, collections or files.</p>
              <button type="button" className="button" onClick={() => void streams.refetch()}>
                Look again
              </button>
            </Blank>
          ) : (
            <StreamBrowser
              streams={found}
              tools={<strong className="small">{plural(names.size, 'stream')} chosen</strong>}
              mark={(stream) => (
                <label className="stream-tick">
                  <input
                    type="checkbox"
                    checked={names.has(stream.name)}
                    onChange={(event) => toggle(stream, event.target.checked)}
                  />
                  <strong>{stream.name}</strong>
                </label>
              )}
              preview={(stream) => <StreamPreview connection={source} stream={stream} />}
            />
          )
        }
      </Loaded>
    </>
  )
}
