import { useLogout, useStatus } from '../api/queries'
import { Act } from '../parts/Act'
import { Facts } from '../parts/Facts'
import { Head } from '../parts/Head'
import { Loaded } from '../parts/Loaded'
import { Panel } from '../parts/Panel'
import { ThemeSwitch } from '../parts/ThemeSwitch'

/** `/settings`: what this instance is, and how the page looks. The rest is set by environment variables. */
export function Settings() {
  const status = useStatus()
  const logout = useLogout()
  return (
    <>
      <Head title="Settings" />
      <Panel title="This instance">
        <div className="panel-body">
          <Loaded asked={status} lines={2}>
            {(known) => (
              <Facts
                entries={[
                  ['Version', known.version],
                  ['Mode', known.mode],
                  ['Instance', known.instance && <code>{known.instance}</code>],
                  ['Lease token', known.lease?.token ?? null],
                ]}
              />
            )}
          </Loaded>
        </div>
      </Panel>
      <Panel title="This browser">
        <div className="panel-body">
          <Facts
            entries={[
              ['Theme', <ThemeSwitch key="theme" />],
              ['Times are shown in', Intl.DateTimeFormat().resolvedOptions().timeZone],
              [
                'Session',
                <Act
                  key="session"
                  deed={logout}
                  label="Log out"
                  busy="Logging out…"
                  little
                  onClick={() => logout.mutate(undefined, { onSuccess: () => window.location.assign('/login') })}
                />,
              ],
            ]}
          />
        </div>
      </Panel>
      <p className="muted small">Everything else is set by environment variables; the documentation lists them under “settings”.</p>
    </>
  )
}
