import { useSettings } from '../../api/access'
import { useRights } from '../../api/session'
import { Loaded } from '../../parts/Loaded'
import { NotAllowed } from '../../parts/NotAllowed'
import { Panel } from '../../parts/Panel'

/** The environment variables that the process goes by; of secrets, whether they are set. */
export function Variables() {
  const { session, admin } = useRights()
  const settings = useSettings(admin)
  if (session && !admin) return <NotAllowed what="see the settings" session={session} />
  return (
    <Panel title="Environment" note="as the process that answers was started; to change one, start it anew">
      <Loaded asked={settings} lines={12}>
        {({ items }) => (
          <table aria-label="Environment variables" className="stacking">
            <thead>
              <tr>
                <th scope="col">Variable</th>
                <th scope="col">In effect</th>
              </tr>
            </thead>
            <tbody>
              {items.map(({ name, value, secret }) => (
                <tr key={name}>
                  <td>
                    <code>{name}</code>
                  </td>
                  <td data-label="In effect">{value === null ? <span className="muted">unset</span> : secret ? 'set' : <code>{value}</code>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
    </Panel>
  )
}
