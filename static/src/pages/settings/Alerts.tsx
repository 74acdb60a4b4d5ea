import '../../styles/alerts.css'
import { Link } from 'wouter'
import { useAlerts } from '../../api/alerts'
import { useRights } from '../../api/session'
import { AlertDeeds } from '../../deeds/AlertDeeds'
import { alertPage } from '../../format/address'
import { AlertsTable } from '../../parts/alerts/Table'
import { Blank } from '../../parts/Blank'
import { Loaded } from '../../parts/Loaded'
import { Panel } from '../../parts/Panel'

/** Who is told of what happens to jobs, and whether the messages arrive. */
export function Alerts() {
  const alerts = useAlerts()
  const { admin } = useRights()
  const make = admin && (
    <Link href={alertPage('new')} className="button first">
      New alert
    </Link>
  )
  const some = (alerts.data?.items.length ?? 0) > 0
  return (
    <Panel title="Alerts" note="messages to a chat or a program" tools={some && make}>
      <Loaded asked={alerts} lines={5}>
        {({ items }) =>
          items.length === 0 ? (
            <Blank icon="alerts" title="Nobody is told yet">
              <p>
                An alert writes to a URL when a job fails and when it is in step again, when a run waits for a person’s yes, or when data
                grows stale. One failure is one message, however often it is tried.
              </p>
              <p>
                Paste the incoming webhook of a chat, or the URL of a program of your own, and send a test before you save.
              </p>
              {make}
              <p className="small">
                Or write it into the file, under <code>alerts:</code>, and apply it: <code>syncworker apply jobs.yaml</code>
              </p>
            </Blank>
          ) : (
            <AlertsTable alerts={items} actions={(alert) => <AlertDeeds alert={alert} little />} />
          )
        }
      </Loaded>
    </Panel>
  )
}
