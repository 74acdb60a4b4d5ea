import { Link, useLocation } from 'wouter'
import { useRights } from '../api/session'
import { ConnectionForm } from '../deeds/ConnectionForm'
import { Head } from '../parts/Head'
import { NotAllowed } from '../parts/NotAllowed'

/** `/new-connection`: what is it, where is it, does it answer. */
export function NewConnection() {
  const { session, admin } = useRights()
  const [, go] = useLocation()
  return (
    <>
      <Head title="New connection" crumbs={<Link href="/connections">Connections</Link>} under="A database or a folder that jobs read or write." />
      {session && !admin ? (
        <NotAllowed what="make connections" session={session} />
      ) : (
        <div className="panel narrow-panel">
          <div className="panel-body">
            <ConnectionForm connection={null} onSaved={({ id }) => go(`/connections/${id}`)} />
          </div>
        </div>
      )}
    </>
  )
}
