import { useId, useRef, useState, type KeyboardEvent } from 'react'
import { useFoundJobs } from '../api/palette'
import { Field } from '../parts/form/Field'
import { Icon } from '../parts/Icon'
import { useLater } from '../useLater'

interface JobPickProps {
  value: string[]
  /** Those of them that are not there any more. */
  missing: string[]
  onChange: (jobs: string[]) => void
  fault?: string | undefined
}

/** Some jobs of however many: found by typing, and each a chip that can be taken out. */
export function JobPick({ value, missing, onChange, fault }: JobPickProps) {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState('')
  const [open, setOpen] = useState(false)
  const [active, setActive] = useState(0)
  const words = useLater(typed.trim())
  const found = useFoundJobs(words)
  const all = words === '' ? [] : (found.data?.items ?? [])
  const offered = open && typed.trim() !== '' ? all.filter((job) => !value.includes(job.id)) : []
  const at = Math.min(active, offered.length - 1)
  const nothing = typed.trim() !== '' && words === typed.trim() && !found.isFetching && offered.length === 0

  const take = (job: string) => {
    onChange([...value, job])
    setTyped('')
    setActive(0)
    input.current?.focus()
  }
  const drop = (job: string) => {
    onChange(value.filter((one) => one !== job))
    input.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = offered[at]
    if (event.key === 'ArrowDown') setActive(at >= offered.length - 1 ? 0 : at + 1)
    else if (event.key === 'ArrowUp') setActive(at <= 0 ? offered.length - 1 : at - 1)
    // Enter chooses; it does not save the form.
    else if (event.key === 'Enter') {
      if (chosen) take(chosen.id)
    } else if (event.key === 'Escape' && typed !== '') setTyped('')
    else if (event.key === 'Backspace' && typed === '' && value.length > 0) onChange(value.slice(0, -1))
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div className="job-pick">
      <Field label="Which jobs" help="Type a part of a name; what the search of the jobs takes, such as source:shop, finds too." fault={fault}>
        {(control) => (
          <div className="pick-box">
            <input
              {...control}
              ref={input}
              type="text"
              className="field"
              role="combobox"
              aria-expanded={offered.length > 0}
              aria-controls={`${id}-list`}
              aria-autocomplete="list"
              aria-activedescendant={offered[at] ? `${id}-${at}` : undefined}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder={value.length === 0 ? 'orders' : 'one more'}
              value={typed}
              onFocus={() => setOpen(true)}
              onBlur={() => setOpen(false)}
              onChange={(event) => {
                setTyped(event.target.value)
                setOpen(true)
                setActive(0)
              }}
              onKeyDown={onKeyDown}
            />
            <ul id={`${id}-list`} role="listbox" aria-label="Jobs found" className="suggestions" hidden={offered.length === 0}>
              {offered.map((job, index) => (
                <li
                  key={job.id}
                  id={`${id}-${index}`}
                  role="option"
                  aria-selected={index === at}
                  onMouseMove={() => setActive(index)}
                  onMouseDown={(event) => {
                    event.preventDefault()
                    take(job.id)
                  }}
                >
                  {job.id}{' '}
                  <span className="muted">
                    {job.source} → {job.destination}
                  </span>
                </li>
              ))}
            </ul>
          </div>
        )}
      </Field>
      <p className="help" role="status">
        {nothing && open && (all.length > 0 ? 'All that were found are chosen already.' : 'No job is found by that.')}
      </p>
      {value.length > 0 && (
        <ul className="chips" aria-label="Chosen jobs">
          {value.map((job) => (
            <li key={job}>
              <button type="button" className="chip-button" aria-label={`${job}: take it out`} onClick={() => drop(job)}>
                {job}
                {missing.includes(job) && <span className="tag wait">gone</span>}
                <Icon name="close" size={11} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
