import type { Fault } from '../../api/client'
import { faultAt } from '../../forms/faults'
import { DEFAULTS, guardOf } from '../../forms/job'
import { get, put, text, type Json } from '../../forms/path'
import { CheckField, FaultText, SelectField, TextField } from './Field'

interface SafetyFieldsProps {
  draft: Json
  faults: Fault[]
  onChange: (draft: Json) => void
  disabled?: boolean
}

/** Guards, attempts and what happens to fire times that cannot be kept. */
export function SafetyFields({ draft, faults, onChange, disabled = false }: SafetyFieldsProps) {
  const set = (path: string, value: unknown, fallback: unknown) =>
    onChange(put(draft, path, value === '' || value === fallback ? undefined : value))
  const line = (path: string, label: string, help: string, fallback: string) => (
    <TextField
      label={label}
      help={help}
      fault={faultAt(faults, path)}
      value={text(draft, path)}
      placeholder={fallback}
      onChange={(value) => set(path, value, null)}
      disabled={disabled}
    />
  )
  return (
    <>
      <fieldset className="group">
        <legend>Guards</legend>
        <p className="help">A run that would remove more than this is held, until a person looks and says yes or no.</p>
        {faultAt(faults, 'guards') && <FaultText>{faultAt(faults, 'guards')}</FaultText>}
        <div className="fields">
          <Guard draft={draft} which="max_shrink" label="Replace may shrink a table by" {...{ faults, onChange, disabled }} />
          <Guard draft={draft} which="max_delete" label="Mirror may delete of the rows" {...{ faults, onChange, disabled }} />
        </div>
      </fieldset>
      <fieldset className="group">
        <legend>When an attempt fails</legend>
        <div className="fields">
          <TextField
            label="Attempts"
            help="How often a run is tried before it has failed."
            fault={faultAt(faults, 'retry.attempts')}
            type="number"
            value={text(draft, 'retry.attempts')}
            placeholder={String(DEFAULTS.retry.attempts)}
            onChange={(value) => set('retry.attempts', value === '' ? '' : Number(value), null)}
            disabled={disabled}
          />
          {line('retry.backoff', 'Wait before the second', 'Each further wait is twice as long.', DEFAULTS.retry.backoff)}
          {line('retry.max_backoff', 'Longest wait', '', DEFAULTS.retry.max_backoff)}
          {line('timeout', 'Timeout of an attempt', 'One that takes longer is stopped and counts as failed.', 'none')}
        </div>
      </fieldset>
      <fieldset className="group">
        <legend>Fire times that cannot be kept</legend>
        <div className="fields">
          <SelectField
            label="While the job still runs"
            fault={faultAt(faults, 'overlap')}
            value={text(draft, 'overlap') || DEFAULTS.overlap}
            options={[
              ['skip', 'skip the fire time'],
              ['queue', 'run afterwards'],
            ]}
            onChange={(value) => set('overlap', value, DEFAULTS.overlap)}
            disabled={disabled}
          />
          <SelectField
            label="While nothing was running"
            fault={faultAt(faults, 'catch_up')}
            value={text(draft, 'catch_up') || DEFAULTS.catch_up}
            options={[
              ['latest', 'run the latest one afterwards'],
              ['all', 'run all of them, one after another'],
              ['none', 'record them as missed'],
            ]}
            onChange={(value) => set('catch_up', value, DEFAULTS.catch_up)}
            disabled={disabled}
          />
        </div>
      </fieldset>
      <CheckField
        label="Compare both sides after each stream"
        help="What differs is told in the run’s log and on its page. It reads both sides once more."
        checked={get(draft, 'verify') === true}
        onChange={(on) => set('verify', on, false)}
        disabled={disabled}
      />
    </>
  )
}

interface GuardProps extends SafetyFieldsProps {
  which: 'max_delete' | 'max_shrink'
  label: string
}

function Guard({ draft, which, label, faults, onChange, disabled = false }: GuardProps) {
  const value = guardOf(draft, which)
  const other = which === 'max_delete' ? 'max_shrink' : 'max_delete'
  const set = (to: string | false) => {
    const both = { [other]: guardOf(draft, other) ?? false, [which]: to }
    const said = Object.fromEntries(Object.entries(both).filter(([name, one]) => one !== DEFAULTS.guards[name as typeof which]))
    const off = Object.values(both).every((one) => one === false)
    onChange(put(draft, 'guards', off ? false : Object.keys(said).length > 0 ? said : undefined))
  }
  return (
    <div className="guard">
      <TextField
        label={label}
        fault={faultAt(faults, `guards.${which}`)}
        value={value ?? 'off'}
        onChange={set}
        disabled={disabled || value === null}
        placeholder={DEFAULTS.guards[which]}
      />
      <CheckField label="off" checked={value === null} onChange={(off) => set(off ? false : DEFAULTS.guards[which])} disabled={disabled} />
    </div>
  )
}
