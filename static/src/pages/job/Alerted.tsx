import { Fragment } from 'react'
import { Link } from 'wouter'
import { useKnownAlerts } from '../../api/alerts'
import { alertPage } from '../../format/address'
import { watches } from '../../format/alert'
import { count } from '../../format/number'

/** Of more alerts than these the rest is counted. */
const NAMED = 2

/** Which alerts speak of this job. */
export function Alerted({ job }: { job: string }) {
  const alerts = useKnownAlerts()
  if (!alerts.data) return <span className="muted">{alerts.error ? 'not known' : '…'}</span>
  const all = alerts.data.items.filter((alert) => watches(alert, job))
  if (all.length === 0) {
    return (
      <Link href="/settings?tab=alerts" className="quiet">
        none
      </Link>
    )
  }
  const rest = all.length - NAMED
  return (
    <>
      {all.slice(0, NAMED).map(({ id, enabled }, index) => (
        <Fragment key={id}>
          {index > 0 && ', '}
          <Link href={alertPage(id)}>{id}</Link>
          {!enabled && <span className="muted"> (off)</span>}
        </Fragment>
      ))}
      {rest > 0 && (
        <>
          {' '}
          and <Link href="/settings?tab=alerts">{count(rest)} more</Link>
        </>
      )}
    </>
  )
}
