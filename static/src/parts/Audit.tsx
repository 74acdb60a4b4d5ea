import '../styles/forms.css'
import { Link } from 'wouter'
import type { AuditRecord } from '../api/wire'
import { alertPage } from '../format/address'
import { changes, shown } from '../forms/merge'
import { BothTimes } from './Time'

/** Records of who did what, newest first. `subject`: say on what, too. */
export function AuditTable({ records, subject = true }: { records: AuditRecord[]; subject?: boolean }) {
  return (
    <table aria-label="Records" className="stacking">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col" className="wide">
            From
          </th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <tr key={record.id} className="record">
            <th scope="row" className="nowrap">
              <BothTimes at={record.at} />
            </th>
            <td>
              {record.who}
              <span className="under">{how(record)}</span>
            </td>
            <td>
              <span className="primary">{ACTIONS[record.action] ?? record.action}</span>
              {subject && (
                <span className="under">
                  <Subject of={record.subject} />
                </span>
              )}
              <Became of={record} />
            </td>
            <td className="wide muted">{record.from ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Actions in words; one that we do not know is shown as it is. */
const ACTIONS: Record<string, string> = {
  'job.create': 'made the job',
  'job.update': 'changed the job',
  'job.delete': 'deleted the job',
  'job.enable': 'enabled the job',
  'job.disable': 'disabled the job',
  'job.run': 'asked for a run',
  'job.reset': 'forgot checkpoints',
  'job.undo': 'asked for an undo',
  'job.verify': 'asked for a comparison',
  'run.cancel': 'cancelled the run',
  'run.retry': 'asked for a retry',
  'run.approve': 'approved the run',
  'run.discard': 'discarded the run',
  'connection.create': 'made the connection',
  'connection.update': 'changed the connection',
  'connection.delete': 'deleted the connection',
  'connection.test': 'tested the connection',
  'connection.try_draft': 'tested a connection',
  'alert.create': 'made the alert',
  'alert.update': 'changed the alert',
  'alert.delete': 'deleted the alert',
  'alert.test': 'tested the alert',
  'alert.try_draft': 'tested an alert',
  'dry_run.look': 'asked for a dry run',
  'instance.drain': 'drained the instance',
  'instance.undrain': 'let the instance work again',
  'token.create': 'made a token',
  'token.revoke': 'revoked a token',
  login: 'logged in',
  'login.failed': 'failed to log in',
  logout: 'logged out',
}

function how({ how: way, via, token }: AuditRecord): string {
  if (way === 'token') return token ? `with token ${token}` : 'with a token'
  if (way === 'anyone') return 'without credentials'
  return way === 'session' ? 'in the dashboard' : `by ${via}`
}

function Subject({ of: subject }: { of: string }) {
  const [kind, ...rest] = subject.split('/')
  const id = rest.join('/')
  if (kind === 'alerts' && id) return <Link href={alertPage(id)}>{subject}</Link>
  const page = kind === 'jobs' || kind === 'runs' || kind === 'connections'
  return page && id ? <Link href={`/${kind}/${encodeURIComponent(id)}`}>{subject}</Link> : <>{subject}</>
}

/** What came of it: a run that was asked for is a link, else the fields that differ. */
function Became({ of: { before, after } }: { of: AuditRecord }) {
  const run = before === null ? after?.run : undefined
  if (typeof run !== 'string') return <Difference before={before} after={after} />
  return (
    <Link href={`/runs/${run}`} className="under">
      see the run
    </Link>
  )
}

function Difference({ before, after }: Pick<AuditRecord, 'before' | 'after'>) {
  const made = changes(before ?? {}, after ?? {})
  if (made.length === 0) return null
  const list = (
    <dl className="difference">
      {made.map(({ path, before: was, after: is }) => (
        <div key={path}>
          <dt>{path}</dt>
          <dd>
            {before !== null && was !== undefined && <del>{shown(was)}</del>}
            {after !== null && is !== undefined && <ins>{shown(is)}</ins>}
            {is === undefined && before !== null && after !== null && <span className="muted"> taken out</span>}
          </dd>
        </div>
      ))}
    </dl>
  )
  if (made.length <= 4) return list
  return (
    <details>
      <summary className="small">{made.length} fields</summary>
      {list}
    </details>
  )
}
