import { Link } from 'wouter'
import { useAlertTest, useDeleteAlert, useSwitchAlert } from '../api/alerts'
import { useRights } from '../api/session'
import type { Alert, AlertTest } from '../api/wire'
import { alertPage } from '../format/address'
import { count, plural } from '../format/number'
import { Act, Said } from '../parts/Act'
import { Confirm } from '../parts/Confirm'
import { State } from '../parts/State'

interface AlertDeedsProps {
  alert: Alert
  little?: boolean
  onGone?: () => void
}

/** Test, switch, edit, delete: the buttons of an alert, in its row and on its page; none for who may only look. */
export function AlertDeeds({ alert, little = false, onGone }: AlertDeedsProps) {
  const { operate, admin } = useRights()
  const test = useAlertTest(alert.id)
  const turn = useSwitchAlert(alert)
  const remove = useDeleteAlert(alert, onGone)
  const { waiting } = alert.delivery
  const changes = admin && alert.owner === null
  const of = alert.id
  if (!operate) return null
  return (
    <div className="actions">
      <Act deed={test} label="Test" busy="Sending…" {...{ little, of }} />
      {changes && (
        <>
          <Act deed={turn} label={alert.enabled ? 'Turn off' : 'Turn on'} busy={alert.enabled ? 'Turning off…' : 'Turning on…'} {...{ little, of }} />
          {little && (
            <Link href={alertPage(alert.id)} className="button little" aria-label={`Edit ${alert.id}`}>
              Edit
            </Link>
          )}
          <Confirm deed={remove} label="Delete" busy="Deleting…" look="danger" {...{ little, of }}>
            <p>
              Delete the alert <strong>{alert.id}</strong>? Its URL and what it told are forgotten.
            </p>
            {waiting > 0 && <p>{plural(waiting, 'thing that waits is', 'things that wait are')} never told.</p>}
          </Confirm>
        </>
      )}
      <Said deeds={[test, turn, remove]}>{test.data && <Came result={test.data} />}</Said>
    </div>
  )
}

function Came({ result: { ok, status, ms, message } }: { result: AlertTest }) {
  return (
    <>
      <State state={ok ? 'succeeded' : 'failed'}>
        {ok ? 'arrived' : 'did not arrive'} · {status ?? 'no answer'} · {count(ms)} ms
      </State>
      {!ok && <> {message}</>}
    </>
  )
}
