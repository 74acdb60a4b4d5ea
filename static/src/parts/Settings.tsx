import { Fragment } from 'react'
import type { Connection } from '../api/wire'

/** What a connection says of itself, besides its connector's settings. */
const OWN = new Set(['id', 'type', 'owner', 'created_at', 'updated_at', 'revision'])

/** A connection's settings in a line; secrets came as asterisks. */
export function Settings({ of: connection }: { of: Connection }) {
  const settings = Object.entries(connection).filter(([name, value]) => !OWN.has(name) && value !== null)
  return (
    <span className="small">
      {settings.map(([name, value], index) => (
        <Fragment key={name}>
          {index > 0 && ' · '}
          <span className="muted">{name}</span> <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>
        </Fragment>
      ))}
    </span>
  )
}
