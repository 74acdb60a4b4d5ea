import type { Fault } from '../../api/client'
import { useStreams } from '../../api/connections'
import { streamsOf } from '../../forms/job'
import { put, text, type Json } from '../../forms/path'
import { StreamFields } from '../../parts/form/StreamFields'

interface HowProps {
  draft: Json
  faults: Fault[]
  onChange: (draft: Json) => void
}

/** How each chosen stream is read and written; what was suggested stands already. */
export function How({ draft, faults, onChange }: HowProps) {
  const streams = useStreams(text(draft, 'source') || null)
  const found = new Map(streams.data?.map((stream) => [stream.name, stream]))
  return streamsOf(draft).map((stream, index) => (
    <StreamFields
      key={text(stream, 'name')}
      stream={stream}
      path={`streams[${index}]`}
      found={found.get(text(stream, 'name'))}
      faults={faults}
      onChange={(next) => onChange(put(draft, `streams[${index}]`, next))}
    />
  ))
}
