import { useState } from 'react'
import type { Fault } from '../../api/client'
import type { Job, Stream } from '../../api/wire'
import { faultAt } from '../../forms/faults'
import { streamsOf, suggested } from '../../forms/job'
import { get, put, text, type Json } from '../../forms/path'
import { CheckField, SelectField } from './Field'
import { SafetyFields } from './SafetyFields'
import { ScheduleFields } from './ScheduleFields'
import { SchedulePreview } from './SchedulePreview'
import { StreamFields } from './StreamFields'

/** What of a job this form shows: faults elsewhere are told above it. */
export const SHOWN = [
  'source',
  'destination',
  'streams',
  'schedule.cron',
  'schedule.every',
  'schedule.timezone',
  'schedule.jitter',
  'guards',
  'retry',
  'timeout',
  'overlap',
  'catch_up',
]

interface JobFieldsProps {
  draft: Json
  faults: Fault[]
  disabled: boolean
  connections: string[]
  /** What the source has. */
  streams: Stream[]
  job: Job
  onChange: (draft: Json) => void
}

/** A whole job as a form. */
export function JobFields({ draft, faults, disabled, connections, streams, job, onChange }: JobFieldsProps) {
  const chosen = streamsOf(draft)
  const named = new Map(streams.map((stream) => [stream.name, stream]))
  const rest = streams.filter(({ name }) => !chosen.some((one) => text(one, 'name') === name))
  return (
    <>
      <CheckField
        label="Enabled"
        help="A job that is not has no fire times, and runs when someone asks for it."
        checked={get(draft, 'enabled') !== false}
        disabled={disabled}
        onChange={(on) => onChange(put(draft, 'enabled', on ? undefined : false))}
      />
      <div className="fields">
        {(['source', 'destination'] as const).map((end) => (
          <SelectField
            key={end}
            label={end === 'source' ? 'Source' : 'Destination'}
            fault={faultAt(faults, end)}
            value={text(draft, end)}
            disabled={disabled}
            options={[...new Set([text(draft, end), ...connections])].map((id) => [id, id] as const)}
            onChange={(id) => onChange(put(draft, end, id))}
          />
        ))}
      </div>
      <h3>Streams</h3>
      {faultAt(faults, 'streams') && <p className="fault-text">The streams: {faultAt(faults, 'streams')}</p>}
      {chosen.map((stream, index) => (
        <StreamFields
          key={index}
          stream={stream}
          path={`streams[${index}]`}
          found={named.get(text(stream, 'name'))}
          faults={faults}
          disabled={disabled}
          onChange={(next) => onChange(put(draft, `streams[${index}]`, next))}
          tools={
            !disabled &&
            chosen.length > 1 && (
              <button type="button" className="button little" onClick={() => onChange(put(draft, `streams[${index}]`, undefined))}>
                Take out
              </button>
            )
          }
        />
      ))}
      {!disabled && rest.length > 0 && (
        <AddStream streams={rest} onAdd={(stream) => onChange(put(draft, `streams[${chosen.length}]`, suggested(stream)))} />
      )}
      <h3>Schedule</h3>
      <ScheduleFields draft={draft} faults={faults} disabled={disabled} onChange={onChange} />
      <SchedulePreview draft={draft} typical={job.typical_seconds} self={job.id} />
      <h3>Safety</h3>
      <SafetyFields draft={draft} faults={faults} disabled={disabled} onChange={onChange} />
    </>
  )
}

function AddStream({ streams, onAdd }: { streams: Stream[]; onAdd: (stream: Stream) => void }) {
  const [name, setName] = useState('')
  const found = streams.find((stream) => stream.name === name)
  return (
    <div className="add-stream">
      <SelectField
        label="Add a stream"
        value={name}
        options={[['', 'choose one'], ...streams.map((stream) => [stream.name, stream.name] as const)]}
        onChange={setName}
      />
      <button
        type="button"
        className="button"
        disabled={!found}
        onClick={() => {
          if (found) onAdd(found)
          setName('')
        }}
      >
        Add
      </button>
    </div>
  )
}
