import { useId, type ReactNode } from 'react'
import type { AlertDocument } from '../../forms/alert'
import { CheckField, FaultText } from './Field'

interface AlertRulesProps {
  draft: AlertDocument
  faults: Partial<Record<string, string>>
  onChange: (change: Partial<AlertDocument>) => void
}

const FAILURES = 1
const STALE = '2h'

/** When an alert speaks: each turn is on or off, some with how much it takes. */
export function AlertRules({ draft, faults, onChange }: AlertRulesProps) {
  const { failures, recovery, held, stale } = draft
  const id = useId()
  const wrong = (name: 'failures' | 'stale') =>
    faults[name] ? { 'aria-invalid': true, 'aria-describedby': `${id}-${name}` } : {}
  return (
    <fieldset className="group rules">
      <legend>When it speaks</legend>
      <Rule id={`${id}-failures`} fault={faults.failures}>
        <CheckField label="A job fails" checked={failures !== null} onChange={(on) => onChange({ failures: on ? FAILURES : null })} />
        <label>
          after{' '}
          <input
            className="field"
            type="number"
            min={1}
            max={100}
            aria-label="Failed runs in a row"
            {...wrong('failures')}
            disabled={failures === null}
            value={failures ?? FAILURES}
            onChange={(event) => onChange({ failures: event.target.value === '' ? '' : Number(event.target.value) })}
          />{' '}
          failed {failures === 1 ? 'run' : 'runs in a row'}
        </label>
      </Rule>
      <Rule id={`${id}-held`} fault={faults.held}>
        <CheckField label="A run is held" help="It waits for a person’s yes or no." checked={held} onChange={(on) => onChange({ held: on })} />
      </Rule>
      <Rule id={`${id}-stale`} fault={faults.stale}>
        <CheckField label="Data is stale" checked={stale !== null} onChange={(on) => onChange({ stale: on ? STALE : null })} />
        <label>
          older than{' '}
          <input
            className="field"
            type="text"
            aria-label="Data is older than"
            {...wrong('stale')}
            autoComplete="off"
            spellCheck={false}
            disabled={stale === null}
            value={stale ?? STALE}
            onChange={(event) => onChange({ stale: event.target.value })}
          />
        </label>
      </Rule>
      <Rule id={`${id}-recovery`} fault={faults.recovery}>
        <CheckField
          label="It is over"
          help="The job is in step again, or its data is fresh again. Told only of what was told before."
          checked={recovery}
          onChange={(on) => onChange({ recovery: on })}
          disabled={failures === null && stale === null}
        />
      </Rule>
    </fieldset>
  )
}

function Rule({ id, fault, children }: { id: string; fault: string | undefined; children: ReactNode }) {
  return (
    <div className="rule">
      {children}
      {fault && <FaultText id={id}>{fault}</FaultText>}
    </div>
  )
}
