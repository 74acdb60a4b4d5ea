import '../../styles/forms.css'
import { useState } from 'react'
import { names } from '../../forms/schema'
import { Field } from './Field'

interface NamesFieldProps {
  label: string
  help?: string
  fault?: string
  optional?: boolean
  value: readonly string[]
  /** The columns that there are; without them names are typed. */
  known: readonly string[]
  onChange: (value: string[]) => void
  disabled?: boolean
}

/** Some columns: ticked where they are known, else typed with commas between them. */
export function NamesField({ label, help, fault, optional, value, known, onChange, disabled = false }: NamesFieldProps) {
  if (known.length === 0) return <TypedNames {...{ label, help, fault, optional, value, onChange, disabled }} />
  const all = [...known, ...value.filter((name) => !known.includes(name))]
  const toggle = (name: string, on: boolean) => onChange(on ? [...value, name] : value.filter((one) => one !== name))
  return (
    <fieldset className="names" aria-invalid={fault ? true : undefined}>
      <legend>
        {label}
        {optional && <span className="muted"> (optional)</span>}
      </legend>
      <details className="chooser">
        <summary className="field">{value.length === 0 ? <span className="muted">none</span> : value.join(', ')}</summary>
        <div className="chooser-list">
          {all.map((name) => (
            <label key={name}>
              <input
                type="checkbox"
                checked={value.includes(name)}
                disabled={disabled}
                onChange={(event) => toggle(name, event.target.checked)}
              />
              <span>{name}</span>
            </label>
          ))}
        </div>
      </details>
      {help && <p className="help">{help}</p>}
      {fault && <p className="fault-text">{fault}</p>}
    </fieldset>
  )
}

function TypedNames({ value, onChange, disabled, ...field }: Omit<NamesFieldProps, 'known'>) {
  const [typed, setTyped] = useState<string | null>(null)
  return (
    <Field {...field}>
      {(control) => (
        <input
          {...control}
          className="field"
          // A comma that was just typed must not be taken away again.
          value={typed ?? value.join(', ')}
          disabled={disabled}
          spellCheck={false}
          onChange={(event) => {
            setTyped(event.target.value)
            onChange(names(event.target.value))
          }}
          onBlur={() => setTyped(null)}
        />
      )}
    </Field>
  )
}
