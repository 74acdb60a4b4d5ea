import type { Entered, FieldShape } from '../../forms/schema'
import { SelectField, TextField } from './Field'

interface SchemaFormProps {
  fields: FieldShape[]
  values: Entered
  faults: Record<string, string>
  onChange: (name: string, value: string) => void
  /** The settings are saved already: a secret that is left empty stays. */
  saved?: boolean
  disabled?: boolean
}

/** The fields of a connector's settings: those that are needed first, the rest folded away. */
export function SchemaForm(props: SchemaFormProps) {
  const { fields, faults, values } = props
  const needed = fields.filter((field) => field.required)
  const rest = fields.filter((field) => !field.required)
  const told = rest.some(({ name }) => faults[name] ?? values[name])
  return (
    <>
      {needed.map((field) => (
        <SchemaField key={field.name} field={field} {...props} />
      ))}
      {rest.length > 0 && (
        <details className="more" open={told || needed.length === 0}>
          <summary>
            More settings <span className="muted">({rest.map(({ label }) => label.toLowerCase()).join(', ')})</span>
          </summary>
          <div className="fields">
            {rest.map((field) => (
              <SchemaField key={field.name} field={field} {...props} />
            ))}
          </div>
        </details>
      )}
    </>
  )
}

function SchemaField({ field, values, faults, onChange, saved = false, disabled }: SchemaFormProps & { field: FieldShape }) {
  const { name, kind, label, help, required, choices, fallback } = field
  const shared = { label, help, fault: faults[name], optional: !required, value: values[name] ?? '', disabled }
  const change = (value: string) => onChange(name, value)
  switch (kind) {
    case 'choice':
    case 'flag': {
      const offered = kind === 'flag' ? ['true', 'false'] : choices
      const unset = fallback ? `as usual: ${fallback}` : 'as it is found'
      return <SelectField {...shared} onChange={change} options={[['', unset], ...offered.map((one) => [one, one] as const)]} />
    }
    case 'secret':
      return (
        <TextField
          {...shared}
          onChange={change}
          type="password"
          mono
          placeholder={saved ? 'set — leave empty to keep it' : fallback}
          help={
            <>
              {help && `${help}. `}Kept encrypted and never shown again; <code>{'${NAME}'}</code> stands for a variable of the server.
            </>
          }
        />
      )
    case 'number':
      return <TextField {...shared} onChange={change} type="number" placeholder={fallback} />
    case 'list':
      return <TextField {...shared} onChange={change} placeholder={fallback} help={[help, 'Several, with commas between them'].filter(Boolean).join('. ')} />
    case 'text':
    case 'json':
      return <TextField {...shared} onChange={change} placeholder={fallback} mono={kind === 'json' || name === 'path'} />
  }
}
