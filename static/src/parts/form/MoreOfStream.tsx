import { useState } from 'react'
import { modeOf, writeOf } from '../../forms/job'
import { get, isMapping, text, texts, type Json } from '../../forms/path'
import { Field, SelectField, TextField } from './Field'
import { NamesField } from './Names'

/** The fields that are folded away: most streams need none of them. */
export const MORE = ['target', 'columns', 'exclude', 'hash', 'rename', 'lookback', 'schema', 'delete', 'undo', 'where', 'query', 'filter', 'metadata']

const DRIFT = [
  ['', 'follow it (evolve)'],
  ['freeze', 'fail the run (freeze)'],
  ['discard_row', 'leave out such rows'],
  ['discard_value', 'leave out such values'],
] as const

interface MoreProps {
  stream: Json
  columns: string[]
  disabled: boolean
  open: boolean
  at: (field: string) => string | undefined
  set: (field: string, value: unknown) => void
}

export function MoreOfStream({ stream, columns, disabled, open, at, set }: MoreProps) {
  const used = MORE.filter((field) => get(stream, field) !== undefined)
  const [write, mode] = [writeOf(stream), modeOf(stream)]
  const list = (field: string, label: string, help: string) => (
    <NamesField
      label={label}
      help={help}
      fault={at(field)}
      value={texts(stream, field)}
      known={columns}
      disabled={disabled}
      optional
      onChange={(value) => set(field, value.length > 0 ? value : undefined)}
    />
  )
  const line = (field: string, label: string, help: string, placeholder = '') => (
    <TextField
      label={label}
      help={help}
      fault={at(field)}
      value={text(stream, field)}
      placeholder={placeholder}
      disabled={disabled}
      optional
      onChange={(value) => set(field, value)}
    />
  )
  return (
    <details className="more" open={open || undefined}>
      <summary>
        Columns and more {used.length > 0 && <span className="muted">({used.join(', ')} set)</span>}
      </summary>
      <div className="fields">
        {line('target', 'Name at the destination', 'Left empty, it is the name at the source.', text(stream, 'name'))}
        {list('columns', 'Only these columns', 'None ticked: all of them.')}
        {list('exclude', 'Leave out', 'Columns that are not copied.')}
        {list('hash', 'Hash', 'Columns that arrive as keyed, one-way hashes: for personal data.')}
        <RenameField value={get(stream, 'rename')} fault={at('rename')} disabled={disabled} onChange={(value) => set('rename', value)} />
        {mode === 'incremental' && write === 'upsert' && line('lookback', 'Look back', 'Read this much again before the checkpoint, for rows that come late.', '1h')}
        {write === 'replace' && line('undo', 'Keep for undo', 'How long the copy before is kept, so that a replace can be undone.', '24h')}
        <SelectField
          label="When columns change at the source"
          fault={at('schema')}
          value={text(stream, 'schema') === 'evolve' ? '' : text(stream, 'schema')}
          options={DRIFT}
          disabled={disabled}
          onChange={(value) => set('schema', value)}
        />
        {write === 'mirror' && (
          <SelectField
            label="Deleted rows"
            fault={at('delete')}
            value={text(stream, 'delete') === 'hard' ? '' : text(stream, 'delete')}
            options={[
              ['', 'are deleted'],
              ['soft', 'stay, with the time in _deleted_at'],
            ]}
            disabled={disabled}
            onChange={(value) => set('delete', value)}
          />
        )}
      </div>
    </details>
  )
}

interface RenameProps {
  value: unknown
  fault: string | undefined
  disabled: boolean
  onChange: (value: Json | undefined) => void
}

/** `old: new` pairs as text, one a line. */
function RenameField({ value, fault, disabled, onChange }: RenameProps) {
  const [typed, setTyped] = useState<string | null>(null)
  const said = isMapping(value) ? Object.entries(value).map(([old, name]) => `${old}: ${String(name)}`).join('\n') : ''
  return (
    <Field label="Rename" help="One a line, as old: new." fault={fault} optional>
      {(control) => (
        <textarea
          {...control}
          className="field mono"
          rows={2}
          value={typed ?? said}
          disabled={disabled}
          spellCheck={false}
          onChange={(event) => {
            setTyped(event.target.value)
            onChange(pairs(event.target.value))
          }}
          onBlur={() => setTyped(null)}
        />
      )}
    </Field>
  )
}

function pairs(typed: string): Json | undefined {
  const found = typed
    .split('\n')
    .map((line) => line.split(':'))
    .map(([old = '', ...name]) => [old.trim(), name.join(':').trim()] as const)
    .filter(([old, name]) => old !== '' && name !== '')
  return found.length > 0 ? Object.fromEntries(found) : undefined
}
