import { Link } from 'wouter'
import { useAddress } from '../address'
import { useConnections, useConnectionTest, useJob } from '../api/queries'
import { useRights } from '../api/session'
import type { Connection, Users } from '../api/wire'
import { count } from '../format/number'
import { Act, Said } from '../parts/Act'
import { Blank } from '../parts/Blank'
import { Head } from '../parts/Head'
import { Loaded } from '../parts/Loaded'
import { Owner } from '../parts/Owner'
import { Settings } from '../parts/Settings'
import { State } from '../parts/State'

/** `/connections?job=`: what is connected, who uses it, and whether it answers; of a job both ends are named first. */
export function Connections() {
  const connections = useConnections()
  const [query] = useAddress()
  const job = query.get('job')
  const { admin } = useRights()
  return (
    <>
      <Head title="Connections" under="Where jobs read and write. Secrets are kept encrypted and never shown.">
        {admin && (
          <Link href="/new-connection" className="button first">
            New connection
          </Link>
        )}
      </Head>
      {job && <Ends id={job} />}
      <div className="panel">
        <Loaded asked={connections} lines={5}>
          {({ items, used_by }) =>
            items.length === 0 ? (
              <Blank icon="connections" title="No connections yet">
                <p>A connection is a database or a folder that jobs read from or write to. Make one, and see at once whether it answers.</p>
                {admin && (
                  <Link href="/new-connection" className="button first">
                    New connection
                  </Link>
                )}
              </Blank>
            ) : (
              <table aria-label="Connections">
                <thead>
                  <tr>
                    <th scope="col">Connection</th>
                    <th scope="col" className="mid">
                      Settings
                    </th>
                    <th scope="col" className="wide">
                      Used by
                    </th>
                    <th scope="col">
                      <span className="hidden">Test</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((connection) => (
                    <ConnectionRow key={connection.id} connection={connection} users={used_by[connection.id]} />
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

/** Whose fault sent the reader here, and the two places where it may be mended. */
function Ends({ id }: { id: string }) {
  const job = useJob(id)
  if (!job.data) return null
  const { source, destination } = job.data
  return (
    <p className="notice calm">
      <span>
        <Link href={`/jobs/${id}`}>{id}</Link> reads from <Link href={`/connections/${source}?edit=yes`}>{source}</Link> and writes to{' '}
        <Link href={`/connections/${destination}?edit=yes`}>{destination}</Link>: test them, or open one to edit it.
      </span>
    </p>
  )
}

function ConnectionRow({ connection, users }: { connection: Connection; users: Users | undefined }) {
  const test = useConnectionTest(connection.id)
  const { operate } = useRights()
  return (
    <tr>
      <th scope="row">
        <Link href={`/connections/${connection.id}`} className="primary">
          {connection.id}
        </Link>{' '}
        <Owner of={connection.owner} />
        <span className="under">{connection.type}</span>
        <span className="under narrow">
          <Settings of={connection} />
        </span>
      </th>
      <td className="mid">
        <Settings of={connection} />
      </td>
      <td className="wide">
        <UsedBy id={connection.id} users={users} />
      </td>
      <td>
        <div className="actions">
          {test.data && (
            <State state={test.data.ok ? 'succeeded' : 'failed'}>
              {test.data.ok ? 'answers' : `fails at ${test.data.step}`} · {count(test.data.ms)} ms
            </State>
          )}
          {operate && <Act deed={test} label="Test" busy="Testing…" little of={connection.id} />}
          <Said deeds={[test]}>{test.data && !test.data.ok && [test.data.message, test.data.hint].filter(Boolean).join(' ')}</Said>
        </div>
      </td>
    </tr>
  )
}

/** The first jobs that use it, and how many there are. */
function UsedBy({ id, users }: { id: string; users: Users | undefined }) {
  if (!users) return <span className="muted">no job</span>
  const { jobs, count: all } = users
  return (
    <span className="small">
      {jobs.map((job, index) => (
        <span key={job}>
          {index > 0 && ', '}
          <Link href={`/jobs/${job}`}>{job}</Link>
        </span>
      ))}
      {all > jobs.length && (
        <>
          {' '}
          and <Link href={`/connections/${id}`}>{count(all - jobs.length)} more</Link>
        </>
      )}
    </span>
  )
}
