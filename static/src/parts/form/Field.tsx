import '../../styles/forms.css'
import { useId, type ReactNode } from 'react'

/** What a control needs so that its label, its help and its fault are read with it. */
export interface Control {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': true | undefined
}

interface FieldProps {
  label: ReactNode
  help?: ReactNode
  fault?: string
  /** Marked where most of its neighbours are needed. */
  optional?: boolean
  children: (control: Control) => ReactNode
}

/** A control with its name above it; help and fault below. */
export function Field({ label, help, fault, optional = false, children }: FieldProps) {
  const id = useId()
  const described = [help && `${id}-help`, fault && `${id}-fault`].filter(Boolean).join(' ') || undefined
  return (
    <div className="form-field">
      <label htmlFor={id}>
        {label}
        {optional && <span className="muted"> (optional)</span>}
      </label>
      {children({ id, 'aria-describedby': described, 'aria-invalid': fault ? true : undefined })}
      {help && (
        <p className="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {fault && <FaultText id={`${id}-fault`}>{fault}</FaultText>}
    </div>
  )
}

export function FaultText({ id, children }: { id?: string; children: ReactNode }) {
  return (
    <p className="fault-text" id={id}>
      {children}
    </p>
  )
}

interface TextFieldProps extends Omit<FieldProps, 'children'> {
  value: string
  onChange: (value: string) => void
  disabled?: boolean
  placeholder?: string
  /** Suggestions; any other text is fine too. */
  list?: readonly string[]
  mono?: boolean
  type?: 'text' | 'password' | 'number' | 'search'
  autoFocus?: boolean
}

export function TextField({ value, onChange, disabled, placeholder, list, mono = false, type = 'text', autoFocus, ...field }: TextFieldProps) {
  const suggestions = useId()
  return (
    <Field {...field}>
      {(control) => (
        <>
          <input
            {...control}
            className={mono ? 'field mono' : 'field'}
            type={type}
            value={value}
            onChange={(event) => onChange(event.target.value)}
            disabled={disabled}
            placeholder={placeholder}
            list={list && suggestions}
            autoComplete={type === 'password' ? 'new-password' : 'off'}
            autoCapitalize="none"
            spellCheck={false}
            autoFocus={autoFocus}
          />
          {list && (
            <datalist id={suggestions}>
              {list.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  )
}

interface SelectFieldProps extends Omit<FieldProps, 'children'> {
  value: string
  onChange: (value: string) => void
  options: readonly (readonly [value: string, label: string])[]
  disabled?: boolean
}

export function SelectField({ value, onChange, options, disabled, ...field }: SelectFieldProps) {
  return (
    <Field {...field}>
      {(control) => (
        <select {...control} className="field" value={value} disabled={disabled} onChange={(event) => onChange(event.target.value)}>
          {options.map(([one, label]) => (
            <option key={one} value={one}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

interface CheckFieldProps {
  label: ReactNode
  help?: ReactNode
  checked: boolean
  onChange: (checked: boolean) => void
  disabled?: boolean
}

export function CheckField({ label, help, checked, onChange, disabled }: CheckFieldProps) {
  const id = useId()
  return (
    <div className="check-field">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={(event) => onChange(event.target.checked)}
      />
      <label htmlFor={id}>{label}</label>
      {help && (
        <p className="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  )
}
