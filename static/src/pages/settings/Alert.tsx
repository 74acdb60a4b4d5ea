import '../../styles/alerts.css'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { useAddress } from '../../address'
import { useAlert, useAlertEvents } from '../../api/alerts'
import { ApiError } from '../../api/client'
import { useRights } from '../../api/session'
import type { Alert as Shape } from '../../api/wire'
import { AlertDeeds } from '../../deeds/AlertDeeds'
import { AlertForm } from '../../deeds/AlertForm'
import { alertPage } from '../../format/address'
import { placeOf, promiseOf } from '../../format/alert'
import { count } from '../../format/number'
import { EventsTable } from '../../parts/alerts/Events'
import { Faring, FaringMore } from '../../parts/alerts/Faring'
import { Goes } from '../../parts/alerts/Table'
import { Watched } from '../../parts/alerts/Watched'
import { Blank } from '../../parts/Blank'
import { Facts } from '../../parts/Facts'
import { Head } from '../../parts/Head'
import { Loaded } from '../../parts/Loaded'
import { NotAllowed } from '../../parts/NotAllowed'
import { Owner } from '../../parts/Owner'
import { Paging } from '../../parts/Paging'
import { Panel } from '../../parts/Panel'
import { BothTimes, Time } from '../../parts/Time'
import { NotFound } from '../NotFound'

const LIST = '/settings?tab=alerts'
const EVENTS = 25
const crumbs = <Link href={LIST}>Alerts</Link>

/** `/settings?tab=alerts&alert=new`: who is told, of what. */
export function NewAlert() {
  const { session, admin } = useRights()
  const [, go] = useLocation()
  return (
    <>
      <Head title="New alert" crumbs={crumbs} under="A message to a chat or a program when something happens to a job." />
      {session && !admin ? (
        <NotAllowed what="make alerts" session={session} />
      ) : (
        <div className="panel narrow-panel">
          <div className="panel-body">
            <AlertForm alert={null} onSaved={({ id }) => go(alertPage(id))}>
              <Link href={LIST} className="button">
                Go back
              </Link>
            </AlertForm>
          </div>
        </div>
      )}
    </>
  )
}

/** `/settings?tab=alerts&alert=ID&after=`: one alert, how its messages fare, and what it told. */
export function Alert({ id }: { id: string }) {
  const alert = useAlert(id)
  if (alert.error instanceof ApiError && (alert.error.status === 404 || alert.error.status === 422)) {
    return <NotFound what="alert">{`There is no alert “${id}”`}</NotFound>
  }
  if (!alert.data) {
    return (
      <>
        <Head title={id} crumbs={crumbs} />
        <div className="panel">
          <Loaded asked={alert} lines={8}>
            {() => null}
          </Loaded>
        </div>
      </>
    )
  }
  return <Known alert={alert.data} />
}

function Known({ alert }: { alert: Shape }) {
  const { admin } = useRights()
  const [, go] = useLocation()
  const [savedAs, setSavedAs] = useState<number | null>(null)
  const editable = admin && alert.owner === null
  return (
    <>
      <Head
        title={alert.id}
        crumbs={crumbs}
        state={
          <>
            <Faring alert={alert} />
            <Owner of={alert.owner} />
          </>
        }
        under={<Goes alert={alert} />}
      >
        <AlertDeeds alert={alert} onGone={() => go(LIST)} />
      </Head>
      {alert.owner !== null && <p className="notice calm">{alert.owner} says what this alert is: change it there.</p>}
      <div className="columns">
        <div className="columns stack">
          <Panel title="What it tells" note={savedAs === alert.revision && `saved as revision ${savedAs}`}>
            <div className="panel-body">
              {editable ? <AlertForm alert={alert} onSaved={({ revision }) => setSavedAs(revision)} /> : <Told alert={alert} />}
            </div>
          </Panel>
        </div>
        <div className="columns stack">
          <Panel title="Messages">
            <div className="panel-body">
              <Facts one entries={faringFacts(alert)} />
            </div>
          </Panel>
        </div>
      </div>
      <Events alert={alert} />
    </>
  )
}

/** For who may not change it. */
function Told({ alert }: { alert: Shape }) {
  return (
    <div className="form">
      <p className="promise">
        {promiseOf(alert, alert.jobs, placeOf(alert))}
        {!alert.enabled && ' But it is off.'}
      </p>
      <Facts
        entries={[
          ['Jobs', <Watched key="jobs" jobs={alert.jobs} missing={alert.missing_jobs} all />],
          ['URL', <code key="url">{alert.url}</code>],
          ['Signed', alert.secret === null ? 'no' : 'yes'],
        ]}
      />
    </div>
  )
}

function faringFacts(alert: Shape): [string, React.ReactNode][] {
  const { delivery } = alert
  return [
    [
      'Now',
      <>
        <Faring alert={alert} />
        <FaringMore alert={alert} />
      </>,
    ],
    ['Last sent', <BothTimes key="sent" at={delivery.last_sent_at} />],
    ['Waiting', count(delivery.waiting)],
    ['Last trouble', delivery.last_error_at && <BothTimes at={delivery.last_error_at} />],
    ['Changed', <Time key="changed" at={alert.updated_at} />],
    ['Made', <Time key="made" at={alert.created_at} />],
    ['Revision', alert.revision],
  ]
}

function Events({ alert }: { alert: Shape }) {
  const [query, change] = useAddress()
  const after = query.get('after')
  const events = useAlertEvents(alert.id, after, EVENTS)
  return (
    <Panel title="What it told" note="newest first; kept for 90 days">
      <Loaded asked={events} lines={5}>
        {({ items, next }) =>
          items.length === 0 ? (
            after === null ? (
              <Blank icon="alerts" title="Nothing to tell so far">
                <p>
                  What happens to its jobs from now on is listed here, with what was sent and when. <em>Test</em> shows whether it would arrive.
                </p>
              </Blank>
            ) : (
              <Blank icon="alerts" title="Nothing is older">
                <button type="button" className="button" onClick={() => change({ after: null })}>
                  Back to the newest
                </button>
              </Blank>
            )
          ) : (
            <>
              <EventsTable events={items} label={`What ${alert.id} told`} />
              <Paging next={next} size={EVENTS} label="Pages of what was told" />
            </>
          )
        }
      </Loaded>
    </Panel>
  )
}
