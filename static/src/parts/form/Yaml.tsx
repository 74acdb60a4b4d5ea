import '../../styles/forms.css'
import { useId, useRef } from 'react'
import type { PlacedFault } from '../../api/wire'

interface YamlProps {
  value: string
  onChange: (value: string) => void
  faults: PlacedFault[]
  disabled?: boolean
  label?: string
}

/** A text of YAML with the numbers of its lines, and below it what is wrong, line by line. */
export function Yaml({ value, onChange, faults, disabled = false, label = 'YAML' }: YamlProps) {
  const area = useRef<HTMLTextAreaElement>(null)
  const gutter = useRef<HTMLDivElement>(null)
  const id = useId()
  const lines = value.split('\n')
  const wrong = new Set(faults.map(({ line }) => line))
  const show = ({ line, column }: PlacedFault) => {
    const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0)
    const at = Math.min(value.length, before + Math.max(0, column - 1))
    area.current?.focus()
    area.current?.setSelectionRange(at, Math.min(value.length, before + (lines[line - 1]?.length ?? 0)))
  }
  return (
    <div className="yaml">
      <div className="yaml-box">
        <div className="yaml-lines" ref={gutter} aria-hidden="true">
          {lines.map((_, index) => (
            <span key={index} className={wrong.has(index + 1) ? 'bad' : undefined}>
              {wrong.has(index + 1) ? `✕ ${index + 1}` : index + 1}
            </span>
          ))}
        </div>
        <textarea
          ref={area}
          aria-label={label}
          aria-invalid={faults.length > 0 ? true : undefined}
          aria-describedby={faults.length > 0 ? id : undefined}
          value={value}
          readOnly={disabled}
          rows={Math.max(12, lines.length + 1)}
          spellCheck={false}
          autoCapitalize="none"
          wrap="off"
          onChange={(event) => onChange(event.target.value)}
          onScroll={(event) => {
            if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop
          }}
        />
      </div>
      {faults.length > 0 && (
        <ul className="yaml-faults" id={id} aria-label="Faults of the YAML">
          {faults.map((fault) => (
            <li key={`${fault.line}:${fault.column} ${fault.field} ${fault.message}`}>
              <button type="button" onClick={() => show(fault)}>
                Line {fault.line}
              </button>{' '}
              {fault.field && <code>{fault.field}</code>} {fault.message}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
