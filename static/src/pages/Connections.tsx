import { Fragment } from 'react'
import { useConnections, useConnectionTest } from '../api/queries'
import type { Connection, ConnectionTest } from '../api/wire'
import { count } from '../format/number'
import { Act, Said } from '../parts/Act'
import { Blank } from '../parts/Blank'
import { Head } from '../parts/Head'
import { Loaded } from '../parts/Loaded'
import { State } from '../parts/State'

/** `/connections`: what is connected, and whether it answers. */
export function Connections() {
  const connections = useConnections()
  return (
    <>
      <Head title="Connections" under="Where jobs read and write. Secrets are kept encrypted and never shown." />
      <div className="panel">
        <Loaded asked={connections} lines={5}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank icon="connections" title="No connections yet">
                <p>A connection is a database, a folder or a web API. Name one in a file, and apply it.</p>
              </Blank>
            ) : (
              <table aria-label="Connections">
                <thead>
                  <tr>
                    <th scope="col">Connection</th>
                    <th scope="col" className="mid">
                      Settings
                    </th>
                    <th scope="col">
                      <span className="hidden">Test</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((connection) => (
                    <ConnectionRow key={connection.id} connection={connection} />
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </div>
    </>
  )
}

function ConnectionRow({ connection }: { connection: Connection }) {
  const test = useConnectionTest(connection.id)
  return (
    <tr>
      <th scope="row">
        <span className="primary">{connection.id}</span>
        <span className="under">{connection.type}</span>
        <span className="under narrow">
          <Settings of={connection} />
        </span>
      </th>
      <td className="mid">
        <Settings of={connection} />
      </td>
      <td>
        <div className="actions">
          {test.data && <Tested result={test.data} />}
          <Act deed={test} label="Test" busy="Testing…" little of={connection.id} />
          <Said deeds={[test]}>{test.data && !test.data.ok && [test.data.message, test.data.hint].filter(Boolean).join(' ')}</Said>
        </div>
      </td>
    </tr>
  )
}

function Tested({ result }: { result: ConnectionTest }) {
  return (
    <State state={result.ok ? 'succeeded' : 'failed'}>
      {result.ok ? 'answers' : `fails at ${result.step}`} · {count(result.ms)} ms
    </State>
  )
}

/** What a connection says of itself, besides its connector's settings. */
const OWN = new Set(['id', 'type', 'owner', 'created_at', 'updated_at', 'revision'])

function Settings({ of: connection }: { of: Connection }) {
  const settings = Object.entries(connection).filter(([name]) => !OWN.has(name))
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
