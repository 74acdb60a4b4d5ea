import '../styles/forms.css'
import type { DryRun, StreamOutlook } from '../api/wire'
import { count, plural } from '../format/number'
import { Rows } from './Rows'
import { State } from './State'

/** What the next run would do to each stream, with nothing written. */
export function Outlook({ found }: { found: DryRun }) {
  const streams = Object.entries(found.streams)
  return (
    <div className="outlook" role="status">
      <p className="muted small">
        Looked at in {count(found.ms)} ms. Nothing was written.{found.partial && ' Not all could be looked at in that time.'}
      </p>
      {streams.map(([name, outlook]) => (
        <OutlookOf key={name} name={name} outlook={outlook} />
      ))}
    </div>
  )
}

function OutlookOf({ name, outlook }: { name: string; outlook: StreamOutlook }) {
  const { error, would_hold, would_add_columns, would_create, partial, notes, sample, columns } = outlook
  return (
    <section aria-label={`Dry run of ${name}`}>
      <h3>
        {name}
        {outlook.target !== name && <span className="muted"> → {outlook.target}</span>}{' '}
        {error !== null && <State state="failed">would fail</State>}
        {error === null && would_hold !== null && <State state="held">would be held</State>}
      </h3>
      {error !== null ? (
        <p className="fault-text">{error}</p>
      ) : (
        <dl className="tally">
          <Count value={outlook.read} words={partial ? 'rows looked at' : 'rows read'} />
          <Count value={outlook.would_insert} words="would be added" />
          <Count value={outlook.would_update} words="would change" />
          <Count value={outlook.would_delete} words="would be deleted" />
        </dl>
      )}
      <ul className="plain small">
        {would_hold !== null && <li>A guard would hold it: {would_hold}</li>}
        {would_create && <li>{outlook.target} is not there yet and would be made.</li>}
        {outlook.from_checkpoint && <li>Reading goes on from the checkpoint.</li>}
        {would_add_columns.length > 0 && (
          <li>
            {plural(would_add_columns.length, 'column')} would be added: {would_add_columns.map((one) => `${one.name} (${one.type})`).join(', ')}
          </li>
        )}
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      {sample.length > 0 && (
        <details>
          <summary className="small">The first rows, as they would be written</summary>
          <Rows label={`Rows of ${name} as they would be written`} columns={columns} rows={sample} />
        </details>
      )}
    </section>
  )
}

function Count({ value, words }: { value: number | null; words: string }) {
  return (
    <div>
      <dd>
        <strong>{value === null ? '?' : count(value)}</strong>
      </dd>
      <dt>{words}</dt>
    </div>
  )
}
