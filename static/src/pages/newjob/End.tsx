import { useState } from 'react'
import { useConnections, useConnectionTest } from '../../api/queries'
import type { Connection } from '../../api/wire'
import { put, text, type Json } from '../../forms/path'
import { ConnectionForm } from '../../deeds/ConnectionForm'
import { Act, Said } from '../../parts/Act'
import { Choices } from '../../parts/form/Choices'
import { Loaded } from '../../parts/Loaded'
import { Tried } from '../../parts/Tried'

interface EndProps {
  end: 'source' | 'destination'
  draft: Json
  onChange: (draft: Json) => void
  onNext: () => void
}

const WORDS = {
  source: 'Where the data comes from. It is only read.',
  destination: 'Where the data goes to. Tables and collections are made as they are needed.',
}

/** Pick the connection of one end, or make it here. */
export function End(props: EndProps) {
  const connections = useConnections()
  return (
    <>
      <p className="muted">{WORDS[props.end]}</p>
      <Loaded asked={connections} lines={4}>
        {({ items }) => <Pick connections={items} {...props} />}
      </Loaded>
    </>
  )
}

function Pick({ connections, end, draft, onChange, onNext }: EndProps & { connections: Connection[] }) {
  const [making, setMaking] = useState(connections.length === 0)
  const chosen = text(draft, end)
  const choose = (id: string) => {
    // Another source has other streams.
    const next = end === 'source' && id !== chosen ? put(draft, 'streams', undefined) : draft
    onChange(put(next, end, id))
  }
  if (making) {
    return (
      <ConnectionForm
        connection={null}
        onSaved={({ id }) => {
          choose(id)
          setMaking(false)
          onNext()
        }}
      >
        {connections.length > 0 && (
          <button type="button" className="button" onClick={() => setMaking(false)}>
            Pick one that is there
          </button>
        )}
      </ConnectionForm>
    )
  }
  const known = connections.some(({ id }) => id === chosen)
  return (
    <>
      <Choices
        legend={end === 'source' ? 'Read from' : 'Write to'}
        value={known ? chosen : null}
        options={connections.map(({ id, type }) => ({ value: id, title: id, words: type }))}
        onChange={choose}
      />
      <div className="actions form-actions">
        <button type="button" className="button" onClick={() => setMaking(true)}>
          Make a new connection
        </button>
        {known && <Test key={chosen} id={chosen} />}
      </div>
    </>
  )
}

function Test({ id }: { id: string }) {
  const test = useConnectionTest(id)
  return (
    <>
      <Act deed={test} label={`Test ${id}`} busy="Testing…" />
      <Said deeds={[test]} />
      {test.data && <Tried result={test.data} />}
    </>
  )
}
