import type { Session } from '../api/wire'
import { Blank } from './Blank'

/** A page for what the one who looks may not do. */
export function NotAllowed({ what, session }: { what: string; session: Session }) {
  return (
    <div className="panel">
      <Blank icon="alert" title={`You may not ${what}`}>
        <p>
          {session.who} has the scope <strong>{session.scope}</strong>; this needs <strong>admin</strong>.
        </p>
      </Blank>
    </div>
  )
}
