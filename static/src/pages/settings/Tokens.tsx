import { useState } from 'react'
import { useMakeToken, useRevokeToken, useTokens } from '../../api/access'
import { useRights } from '../../api/session'
import type { NewToken, Scope, Token } from '../../api/wire'
import { faultAt, faultsOf } from '../../forms/faults'
import { Act, Said } from '../../parts/Act'
import { Blank } from '../../parts/Blank'
import { Confirm } from '../../parts/Confirm'
import { Copy } from '../../parts/Copy'
import { SelectField, TextField } from '../../parts/form/Field'
import { Icon } from '../../parts/Icon'
import { Loaded } from '../../parts/Loaded'
import { NotAllowed } from '../../parts/NotAllowed'
import { Panel } from '../../parts/Panel'
import { State } from '../../parts/State'
import { Time } from '../../parts/Time'

const SCOPES: [Scope, string][] = [
  ['read', 'read: look at everything'],
  ['operate', 'operate: also run, cancel, retry, approve, test'],
  ['admin', 'admin: everything'],
]
const LIVES: [string, string][] = [
  ['30d', '30 days'],
  ['90d', '90 days'],
  ['365d', 'a year'],
  ['', 'until it is revoked'],
]

/** What programs enter with: made, shown once, revoked. */
export function Tokens() {
  const { session, admin } = useRights()
  const tokens = useTokens(admin)
  if (session && !admin) return <NotAllowed what="see or make tokens" session={session} />
  return (
    <>
      <Make />
      <Panel title="Tokens" note={tokens.data?.items.filter(({ live }) => live).length}>
        <Loaded asked={tokens} lines={4}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank icon="settings" title="No tokens yet">
                <p>A program that asks the API sends one as its bearer token. Give each program its own, with as little scope as will do.</p>
              </Blank>
            ) : (
              <table aria-label="Tokens" className="stacking">
                <thead>
                  <tr>
                    <th scope="col">Token</th>
                    <th scope="col">Scope</th>
                    <th scope="col" className="mid">
                      Last used
                    </th>
                    <th scope="col" className="mid">
                      Expires
                    </th>
                    <th scope="col">
                      <span className="hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((token) => (
                    <TokenRow key={token.id} token={token} />
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </Panel>
    </>
  )
}

function TokenRow({ token }: { token: Token }) {
  const revoke = useRevokeToken(token.id)
  return (
    <tr>
      <th scope="row">
        <span className="primary">{token.name}</span>
        <span className="under">
          <code>{token.prefix}…</code> made by {token.created_by} <Time at={token.created_at} />
        </span>
      </th>
      <td>{token.scope}</td>
      <td className="mid">
        <Time at={token.last_used_at} />
      </td>
      <td className="mid">
        <Time at={token.expires_at} never="when it is revoked" />
      </td>
      <td>
        <div className="actions">
          {token.live ? (
            <Confirm deed={revoke} label="Revoke" busy="Revoking…" look="danger" little of={token.name}>
              Revoke the token <strong>{token.name}</strong>? Whatever uses it is refused from now on. This cannot be undone.
            </Confirm>
          ) : (
            <State state="cancelled">{token.revoked_at ? 'revoked' : 'expired'}</State>
          )}
          <Said deeds={[revoke]} />
        </div>
      </td>
    </tr>
  )
}

function Make() {
  const make = useMakeToken()
  const [name, setName] = useState('')
  const [scope, setScope] = useState<Scope>('read')
  const [life, setLife] = useState('90d')
  const faults = faultsOf(make.error)
  return (
    <Panel title="New token">
      <div className="panel-body">
        {make.data ? (
          <Made token={make.data} onDone={() => make.reset()} />
        ) : (
          <form
            className="form"
            onSubmit={(event) => {
              event.preventDefault()
              make.mutate({ name, scope, expires_in: life || null }, { onSuccess: () => setName('') })
            }}
          >
            <div className="fields">
              <TextField label="Name" help="Which program it is for." fault={faultAt(faults, 'name')} value={name} onChange={setName} />
              <SelectField label="Scope" fault={faultAt(faults, 'scope')} value={scope} onChange={(value) => setScope(value as Scope)} options={SCOPES} />
              <SelectField label="Lasts" fault={faultAt(faults, 'expires_in')} value={life} onChange={setLife} options={LIVES} />
            </div>
            {make.error && faults.length === 0 && (
              <p className="fault-text" role="alert">
                {make.error.message}
              </p>
            )}
            <div className="actions form-actions">
              <button type="submit" className="button first" disabled={make.isPending || name.trim() === ''}>
                {make.isPending ? 'Making…' : 'Make token'}
              </button>
            </div>
          </form>
        )}
      </div>
    </Panel>
  )
}

/** The only time that the token can be read. */
function Made({ token, onDone }: { token: NewToken; onDone: () => void }) {
  return (
    <div className="made-token" role="status">
      <p>
        <span className="good">
          <Icon name="check" />
        </span>{' '}
        <strong>{token.name}</strong> is made. Copy it now: it is shown this once, and kept nowhere.
      </p>
      <p className="token-text">
        <code data-token>{token.token}</code> <Copy text={token.token} label="Copy the token" />
      </p>
      <p className="muted small">
        Send it as <code>Authorization: Bearer …</code> with each request.
      </p>
      <Act deed={{ isPending: false, error: null, mutate: onDone }} label="I have it" busy="" />
    </div>
  )
}
