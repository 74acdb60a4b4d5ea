import '../../styles/forms.css'
import { useId, type ReactNode } from 'react'

export interface Choice<T extends string> {
  value: T
  title: string
  words?: string
  picture?: ReactNode
}

interface ChoicesProps<T extends string> {
  legend: string
  value: T | null
  options: Choice<T>[]
  onChange: (value: T) => void
  disabled?: boolean
  fault?: string
}

/** One of a few, each as a card that says what it means. */
export function Choices<T extends string>({ legend, value, options, onChange, disabled = false, fault }: ChoicesProps<T>) {
  const name = useId()
  return (
    <fieldset className="choices" aria-invalid={fault ? true : undefined}>
      <legend>{legend}</legend>
      <div>
        {options.map((option) => (
          <label key={option.value} className="choice">
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              disabled={disabled}
              // Its name is the title alone; the rest is told after it.
              aria-labelledby={`${name}-${option.value}`}
              aria-describedby={option.words && `${name}-${option.value}-words`}
              onChange={() => onChange(option.value)}
            />
            {option.picture}
            <span>
              <strong id={`${name}-${option.value}`}>{option.title}</strong>
              {option.words && (
                <span className="help" id={`${name}-${option.value}-words`}>
                  {option.words}
                </span>
              )}
            </span>
          </label>
        ))}
      </div>
      {fault && <p className="fault-text">{fault}</p>}
    </fieldset>
  )
}
