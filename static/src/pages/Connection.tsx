import { Link, useLocation } from 'wouter'
import { ApiError } from '../api/client'
import { useConnection, useDeleteConnection, useJobsOf, useStreams } from '../api/connections'
import { useConnectionTest } from '../api/queries'
import { useRights } from '../api/session'
import type { Connection as Shape } from '../api/wire'
import { useAddress } from '../address'
import { ConnectionForm } from '../deeds/ConnectionForm'
import { StreamPreview } from '../deeds/StreamPreview'
import { Act, Said } from '../parts/Act'
import { Blank } from '../parts/Blank'
import { Confirm } from '../parts/Confirm'
import { Facts } from '../parts/Facts'
import { Head } from '../parts/Head'
import { Loaded } from '../parts/Loaded'
import { Owner } from '../parts/Owner'
import { Panel } from '../parts/Panel'
import { Settings } from '../parts/Settings'
import { StreamBrowser } from '../parts/StreamBrowser'
import { Time } from '../parts/Time'
import { Tried } from '../parts/Tried'
import { NotFound } from './NotFound'

/** `/connections/ID`: one connection, whether it answers, what is behind it, who uses it. */
export function Connection({ id }: { id: string }) {
  const connection = useConnection(id)
  if (connection.error instanceof ApiError && connection.error.status === 404) {
    return <NotFound what="connection">{`There is no connection “${id}”`}</NotFound>
  }
  if (!connection.data) {
    return (
      <>
        <Head title={id} crumbs={<Link href="/connections">Connections</Link>} />
        <div className="panel">
          <Loaded asked={connection} lines={6}>
            {() => null}
          </Loaded>
        </div>
      </>
    )
  }
  return <Known connection={connection.data} />
}

function Known({ connection }: { connection: Shape }) {
  const { admin, operate } = useRights()
  const [query, change] = useAddress()
  const [, go] = useLocation()
  const test = useConnectionTest(connection.id)
  const remove = useDeleteConnection(connection.id, connection.revision, () => go('/connections'))
  const owned = connection.owner !== null
  const editing = query.get('edit') !== null && admin && !owned
  return (
    <>
      <Head
        title={connection.id}
        crumbs={<Link href="/connections">Connections</Link>}
        state={<Owner of={connection.owner} />}
        under={connection.type}
      >
        <div className="actions">
          {operate && <Act deed={test} label="Test" busy="Testing…" of={connection.id} />}
          {admin && !owned && !editing && (
            <button type="button" className="button" onClick={() => change({ edit: 'yes' })}>
              Edit
            </button>
          )}
          {admin && !owned && (
            <Confirm
              deed={remove}
              label="Delete"
              busy="Deleting…"
              look="danger"
            >
              Delete the connection {connection.id}? Its settings and secrets are forgotten. Data at the other end stays.
            </Confirm>
          )}
          <Said deeds={[test, remove]} />
        </div>
      </Head>
      {test.data && (
        <div className="panel">
          <div className="panel-body">
            <Tried result={test.data} />
          </div>
        </div>
      )}
      {owned && (
        <p className="notice calm">
          {connection.owner} says what this connection is: change it there.
        </p>
      )}
      <div className="columns">
        <div className="columns stack">
          <Panel title={editing ? 'Edit' : 'Settings'}>
            <div className="panel-body">
              {editing ? (
                <ConnectionForm connection={connection} onSaved={() => change({ edit: null })}>
                  <button type="button" className="button" onClick={() => change({ edit: null })}>
                    Go back
                  </button>
                </ConnectionForm>
              ) : (
                <Settings of={connection} />
              )}
            </div>
          </Panel>
          {operate && <Streams id={connection.id} />}
        </div>
        <div className="columns stack">
          <Panel title="Used by">
            <div className="panel-body">
              <Facts
                one
                entries={[
                  ['Jobs that read from it', <Jobs key="source" of={connection.id} end="source" />],
                  ['Jobs that write to it', <Jobs key="destination" of={connection.id} end="destination" />],
                  ['Made', <Time key="made" at={connection.created_at} />],
                  ['Changed', <Time key="changed" at={connection.updated_at} />],
                  ['Revision', connection.revision],
                ]}
              />
            </div>
          </Panel>
        </div>
      </div>
    </>
  )
}

function Streams({ id }: { id: string }) {
  const streams = useStreams(id)
  return (
    <Panel
      title="Streams"
      note={streams.data?.length}
      tools={
        <button type="button" className="button little" disabled={streams.isFetching} onClick={() => void streams.refetch()}>
          {streams.isFetching ? 'Looking…' : 'Look again'}
        </button>
      }
    >
      <div className="panel-body">
        <Loaded asked={streams} lines={4}>
          {(found) =>
            found.length === 0 ? (
              <Blank icon="connections" title="Nothing to read there">
                <p>The connection answers, and has no tables, collections or files.</p>
              </Blank>
            ) : (
              <StreamBrowser streams={found} preview={(stream) => <StreamPreview connection={id} stream={stream} />} />
            )
          }
        </Loaded>
      </div>
    </Panel>
  )
}

function Jobs({ of: id, end }: { of: string; end: 'source' | 'destination' }) {
  const jobs = useJobsOf(id, end)
  if (!jobs.data) return <span className="muted">…</span>
  const { ids, more } = jobs.data
  if (ids.length === 0) return <span className="muted">none</span>
  return (
    <ul className="plain">
      {ids.map((job) => (
        <li key={job}>
          <Link href={`/jobs/${job}`}>{job}</Link>
        </li>
      ))}
      {more && (
        <li>
          <Link href={`/jobs?q=${encodeURIComponent(`${end}:"${id}"`)}`}>all of them</Link>
        </li>
      )}
    </ul>
  )
}
