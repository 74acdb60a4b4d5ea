import type { ReactNode } from 'react'
import type { Fault } from '../../api/client'
import type { Mode, Stream } from '../../api/wire'
import { faultAt, faultsUnder, words } from '../../forms/faults'
import { changed, keyed, modeOf, writeOf, writesOf } from '../../forms/job'
import { put, text, texts, type Json } from '../../forms/path'
import { FaultText, SelectField, TextField } from './Field'
import { MoreOfStream, MORE } from './MoreOfStream'
import { NamesField } from './Names'
import { Choices } from './Choices'
import { WRITE_WORDS, WritePicture } from './WritePicture'

const MODES: Record<Mode, { title: string; words: string }> = {
  full: { title: 'Full', words: 'Each run reads all rows.' },
  incremental: { title: 'Incremental', words: 'Each run reads only the rows that are new or changed since the last one.' },
}

interface StreamFieldsProps {
  stream: Json
  /** Its place in the job: `streams[0]`. */
  path: string
  /** What the source says of it; undefined where it was not asked, or has none of that name. */
  found: Stream | undefined
  faults: Fault[]
  onChange: (stream: Json) => void
  disabled?: boolean
  tools?: ReactNode
}

/** How one stream is read and written. */
export function StreamFields({ stream, path, found, faults, onChange, disabled = false, tools }: StreamFieldsProps) {
  const name = text(stream, 'name')
  const [mode, write] = [modeOf(stream), writeOf(stream)]
  const columns = found?.columns.map((column) => column.name) ?? []
  const set = (field: string, value: unknown) => onChange(put(stream, field, value === '' ? undefined : value))
  const at = (field: string) => faultAt(faults, `${path}.${field}`)
  const unfit = mode === 'incremental' && !writesOf(mode).includes(write)
  return (
    <section className="stream-card" aria-label={`Stream ${name}`}>
      <header>
        <h3>{name || 'A stream without a name'}</h3>
        {found?.rows != null && <span className="muted small">about {found.rows.toLocaleString('en')} rows</span>}
        {tools}
      </header>
      {faultAt(faults, path) && <FaultText>{faultAt(faults, path)}</FaultText>}
      {at('name') && <FaultText>The name {at('name')}</FaultText>}
      <Choices
        legend="Read"
        value={mode}
        disabled={disabled}
        fault={at('mode')}
        options={(['full', 'incremental'] as const).map((one) => ({ value: one, ...MODES[one] }))}
        onChange={(to) => onChange(changed(stream, { mode: to }, found))}
      />
      {mode === 'incremental' && (
        <div className="fields">
          {columns.length > 0 ? (
            <SelectField
              label="Cursor"
              help="The column that grows with every change, such as updated_at: reading goes on where it ended."
              fault={at('cursor')}
              value={text(stream, 'cursor')}
              disabled={disabled}
              onChange={(value) => set('cursor', value)}
              options={[['', 'choose a column'], ...cursors(columns, text(stream, 'cursor')).map((one) => [one, one === found?.cursor ? `${one} (suggested)` : one] as const)]}
            />
          ) : (
            <TextField
              label="Cursor"
              help="The column that grows with every change, such as updated_at: reading goes on where it ended."
              fault={at('cursor')}
              value={text(stream, 'cursor')}
              disabled={disabled}
              onChange={(value) => set('cursor', value)}
            />
          )}
        </div>
      )}
      <Choices
        legend="Write"
        value={unfit ? null : write}
        disabled={disabled}
        fault={at('write')}
        options={writesOf(mode).map((one) => ({ value: one, ...WRITE_WORDS[one], picture: <WritePicture write={one} /> }))}
        onChange={(to) => onChange(changed(stream, { write: to }, found))}
      />
      {keyed(write) && (
        <div className="fields">
          <NamesField
            label="Key"
            help="The columns that tell one row from another."
            fault={at('key')}
            value={texts(stream, 'key')}
            known={columns}
            disabled={disabled}
            onChange={(value) => set('key', value.length > 0 ? value : undefined)}
          />
        </div>
      )}
      <MoreOfStream {...{ stream, columns, disabled, at, set }} open={MORE.some((field) => faultsUnder(faults, `${path}.${field}`).length > 0)} />
      <OtherFaults faults={faults} path={path} />
    </section>
  )
}

function cursors(columns: string[], chosen: string): string[] {
  return chosen && !columns.includes(chosen) ? [chosen, ...columns] : columns
}

/** What is wrong within the stream at a field that this form does not show. */
function OtherFaults({ faults, path }: { faults: Fault[]; path: string }) {
  const shown = new Set(['name', 'mode', 'cursor', 'write', 'key', ...MORE].map((field) => `${path}.${field}`))
  const rest = faultsUnder(faults, path).filter(({ field }) => field !== path && !shown.has(field))
  return rest.map((fault) => <FaultText key={fault.field}>{words(fault)}</FaultText>)
}
