import '../../styles/forms.css'
import { Link } from 'wouter'
import type { AlertEvent, AlertKind } from '../../api/wire'
import { KIND_WORDS } from '../../format/alert'
import { plural } from '../../format/number'
import { State, type AnyState } from '../State'
import { BothTimes, Time } from '../Time'

const SHAPES: Record<AlertKind, AnyState> = {
  failing: 'failed',
  recovered: 'succeeded',
  held: 'held',
  stale: 'missed',
  fresh: 'succeeded',
}

/** What an alert told or is to tell, newest first, and whether it was sent. */
export function EventsTable({ events, label }: { events: AlertEvent[]; label: string }) {
  return (
    <table aria-label={label} className="stacking">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">What</th>
          <th scope="col">In words</th>
          <th scope="col">Message</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr key={event.id} className="record">
            <td className="nowrap">
              <BothTimes at={event.at} />
            </td>
            <td>
              <State state={SHAPES[event.kind]}>{KIND_WORDS[event.kind]}</State>
            </td>
            <th scope="row" className="sentence">
              {event.text}
              <span className="under">
                <Link href={`/jobs/${event.job_id}`}>{event.job_id}</Link>
                {event.run_id !== null && (
                  <>
                    {' · '}
                    <Link href={`/runs/${event.run_id}`}>the run</Link>
                  </>
                )}
              </span>
            </th>
            <td>
              <Sent event={event} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Sent({ event: { state, sent_at, tries, note } }: { event: AlertEvent }) {
  switch (state) {
    case 'sent':
      return (
        <>
          <State state="succeeded">sent</State> <Time at={sent_at} />
          {tries > 1 && <span className="under">at the {ordinal(tries)} try</span>}
        </>
      )
    case 'waiting':
      return (
        <>
          <State state="queued">waiting</State>
          {tries > 0 && <span className="under">{plural(tries, 'try', 'tries')} failed</span>}
          {note && <span className="under">{note}</span>}
        </>
      )
    case 'given_up':
      return (
        <>
          <State state="failed">given up</State>
          {note && <span className="under">{note}</span>}
        </>
      )
  }
}

function ordinal(number: number): string {
  const ends: Partial<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' }
  return `${number}${ends[new Intl.PluralRules('en', { type: 'ordinal' }).select(number)] ?? 'th'}`
}
