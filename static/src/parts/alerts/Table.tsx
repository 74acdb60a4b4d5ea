import '../../styles/forms.css'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Alert } from '../../api/wire'
import { alertPage } from '../../format/address'
import { placeOf, rulesSentence } from '../../format/alert'
import { Owner } from '../Owner'
import { BothTimes } from '../Time'
import { Faring, FaringMore } from './Faring'
import { Watched } from './Watched'

/** Where messages go, and how they are written. */
export function Goes({ alert }: { alert: Alert }) {
  const { host, format, secret } = alert
  const reference = placeOf(alert)
  return (
    <span>
      to {host ?? (reference === null ? 'a URL that is not shown' : <code>{reference}</code>)},{' '}
      {format === 'slack' ? 'for a chat' : secret === null ? 'as JSON' : 'as signed JSON'}
    </span>
  )
}

/** All alerts: where each goes, what it tells, how it fares. */
export function AlertsTable({ alerts, actions }: { alerts: Alert[]; actions: (alert: Alert) => ReactNode }) {
  return (
    <table aria-label="Alerts" className="stacking alerts">
      <thead>
        <tr>
          <th scope="col">Alert</th>
          <th scope="col">Tells</th>
          <th scope="col">Messages</th>
          <th scope="col" className="wide">
            Last sent
          </th>
          <th scope="col">
            <span className="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {alerts.map((alert) => (
          <tr key={alert.id}>
            <th scope="row">
              <Link href={alertPage(alert.id)} className="primary">
                {alert.id}
              </Link>{' '}
              <Owner of={alert.owner} />
              <span className="under">
                <Goes alert={alert} />
              </span>
            </th>
            <td className="sentence">
              {rulesSentence(alert)}
              <span className="under">
                <Watched jobs={alert.jobs} missing={alert.missing_jobs} />
              </span>
            </td>
            <td>
              <Faring alert={alert} />
              <FaringMore alert={alert} />
            </td>
            <td className="wide">
              <BothTimes at={alert.delivery.last_sent_at} />
            </td>
            <td>{actions(alert)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
