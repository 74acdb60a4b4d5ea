import { useAddress } from '../../address'
import { useAudit } from '../../api/access'
import { AuditTable } from '../../parts/Audit'
import { Blank, NoMatch } from '../../parts/Blank'
import { Loaded } from '../../parts/Loaded'
import { Paging } from '../../parts/Paging'
import { Panel } from '../../parts/Panel'

const LIMIT = 50
const NAMES = ['who', 'action', 'subject', 'since'] as const
const KINDS: [string, string][] = [
  ['', 'anything'],
  ['job', 'jobs'],
  ['run', 'runs'],
  ['connection', 'connections'],
  ['alert', 'alerts'],
  ['token', 'tokens'],
  ['instance', 'instances'],
  ['login', 'logins'],
  ['login.failed', 'failed logins'],
]

/** Who did what, when and from where; each filter is in the address. */
export function AuditLog() {
  const [query, change] = useAddress()
  const value = (name: string) => query.get(name) ?? ''
  const narrow = (name: string, to: string) => change({ [name]: to, after: null }, { replace: true })
  const since = value('since')
  const after = query.get('after')
  const filter = { who: value('who').trim(), action: value('action'), subject: value('subject').trim(), since: instant(since) }
  const audit = useAudit({ ...filter, after, limit: LIMIT })
  const filtered = NAMES.some((name) => value(name) !== '')
  return (
    <Panel title="Audit" note="newest first">
      <div className="panel-body filters">
        <label>
          Who
          <input type="search" className="field" placeholder="admin" value={value('who')} onChange={(event) => narrow('who', event.target.value)} />
        </label>
        <label>
          What
          <select className="field" value={value('action')} onChange={(event) => narrow('action', event.target.value)}>
            {KINDS.map(([kind, words]) => (
              <option key={kind} value={kind}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          On
          <input type="search" className="field" placeholder="jobs/orders" value={value('subject')} onChange={(event) => narrow('subject', event.target.value)} />
        </label>
        <label>
          Since
          <input type="date" className="field" value={since} onChange={(event) => narrow('since', event.target.value)} />
        </label>
      </div>
      <Loaded asked={audit} lines={8}>
        {({ items, next }) =>
          items.length === 0 ? (
            filtered || after ? (
              <NoMatch what="records" onClear={() => change({ who: null, action: null, subject: null, since: null, after: null })} />
            ) : (
              <Blank icon="settings" title="Nothing is recorded yet">
                <p>Whatever changes something, or asks for a run, is recorded here with who did it and from where.</p>
              </Blank>
            )
          ) : (
            <>
              <AuditTable records={items} />
              <Paging next={next} size={LIMIT} label="Pages of records" />
            </>
          )
        }
      </Loaded>
    </Panel>
  )
}

/** The beginning of a day in the viewer's zone. */
function instant(day: string): string | null {
  const at = new Date(`${day}T00:00:00`)
  return day === '' || Number.isNaN(at.getTime()) ? null : at.toISOString()
}
