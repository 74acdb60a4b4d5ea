import { useAddress } from '../address'
import { useStatus } from '../api/queries'
import { useLogout, useRights } from '../api/session'
import type { Session } from '../api/wire'
import { HERE } from '../format/zone'
import { Act, Said } from '../parts/Act'
import { Facts } from '../parts/Facts'
import { Head } from '../parts/Head'
import { Loaded } from '../parts/Loaded'
import { Panel } from '../parts/Panel'
import { Tabs } from '../parts/Tabs'
import { ThemeSwitch } from '../parts/ThemeSwitch'
import { Alert, NewAlert } from './settings/Alert'
import { Alerts } from './settings/Alerts'
import { AuditLog } from './settings/AuditLog'
import { Tokens } from './settings/Tokens'
import { Variables } from './settings/Variables'

const TABS = [
  { name: 'general', title: 'General' },
  { name: 'alerts', title: 'Alerts' },
  { name: 'tokens', title: 'Tokens' },
  { name: 'audit', title: 'Audit' },
  { name: 'environment', title: 'Environment' },
] as const

/** `/settings?tab=&alert=`: who you are here, who is told what, the tokens of programs, who did what, what it was started with. */
export function Settings() {
  const [query] = useAddress()
  const chosen = TABS.find(({ name }) => name === query.get('tab'))?.name ?? 'general'
  const alert = chosen === 'alerts' ? query.get('alert') : null
  if (alert === 'new') return <NewAlert />
  if (alert) return <Alert key={alert} id={alert} />
  return (
    <>
      <Head title="Settings" />
      <Tabs
        label="Parts of the settings"
        tabs={TABS}
        chosen={chosen}
        href={(name) => (name === 'general' ? '/settings' : `/settings?tab=${name}`)}
      />
      {chosen === 'general' && <General />}
      {chosen === 'alerts' && <Alerts />}
      {chosen === 'tokens' && <Tokens />}
      {chosen === 'audit' && <AuditLog />}
      {chosen === 'environment' && <Variables />}
    </>
  )
}

function General() {
  const status = useStatus()
  const { session } = useRights()
  const logout = useLogout()
  return (
    <>
      <Panel title="You">
        <div className="panel-body">
          <Facts
            entries={[
              ['Name', session?.who ?? '…'],
              ['Scope', session && `${session.scope}: ${MAY[session.scope]}`],
              ['How', session && HOW[session.how]],
              [
                'Session',
                session?.how === 'session' ? (
                  <>
                    <Act
                      deed={logout}
                      label="Log out"
                      busy="Logging out…"
                      little
                      onClick={() => logout.mutate(undefined, { onSuccess: () => window.location.assign('/login') })}
                    />
                    <Said deeds={[logout]} />
                  </>
                ) : null,
              ],
            ]}
          />
        </div>
      </Panel>
      <Panel title="This browser">
        <div className="panel-body">
          <Facts
            entries={[
              ['Theme', <ThemeSwitch key="theme" />],
              ['Times are shown in', HERE],
            ]}
          />
        </div>
      </Panel>
      <Panel title="This instance">
        <div className="panel-body">
          <Loaded asked={status} lines={2}>
            {(known) => (
              <Facts
                entries={[
                  ['Version', known.version],
                  ['Mode', known.mode],
                  ['Instance', known.instance ? <code>{known.instance}</code> : 'no worker inside'],
                  ['Lease token', known.lease?.token ?? null],
                ]}
              />
            )}
          </Loaded>
        </div>
      </Panel>
    </>
  )
}

const MAY: Record<Session['scope'], string> = {
  read: 'look at everything, change nothing',
  operate: 'look, run, cancel, retry, approve, test',
  admin: 'everything',
}

const HOW: Record<Session['how'], string> = {
  session: 'logged in with the password',
  token: 'with a token',
  anyone: 'nobody has to log in here',
  cli: 'on the command line',
  file: 'by a file',
}
