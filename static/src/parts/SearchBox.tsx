import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react'
import { completed, suggestions, terms, unfinished, without } from '../format/search'
import { Icon } from './Icon'

interface SearchBoxProps {
  value: string
  label: string
  connections: readonly string[]
  /** What is wrong with the search, in the server's words. */
  fault?: string | undefined
  onSearch: (text: string) => void
  onFocus?: () => void
}

/** So long after the last key the search is asked. */
const PAUSE_MS = 250

/** A search that suggests what could come next and shows each of its terms as a chip that can be taken out. */
export function SearchBox({ value, label, connections, fault, onSearch, onFocus }: SearchBoxProps) {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [text, setText] = useState(value)
  const [known, setKnown] = useState(value)
  const [open, setOpen] = useState(false)
  const [caret, setCaret] = useState(value.length)
  const [active, setActive] = useState(-1)
  // Changed from outside (Back, a chip, a link): what was typed gives way.
  if (known !== value) {
    setKnown(value)
    if (text.trim() !== value) setText(value)
  }
  useEffect(() => () => clearTimeout(timer.current), [])

  const offered = open ? suggestions(text, caret, connections) : []
  const search = (next: string, at: number, wait = 0) => {
    setText(next)
    setCaret(at)
    setActive(-1)
    clearTimeout(timer.current)
    // A term that is still being typed is none yet: it would be refused, or find nothing.
    if (wait === 0 || !unfinished(next)) timer.current = setTimeout(() => onSearch(next.trim()), wait)
  }
  const take = (suggestion: string) => {
    const done = completed(text, caret, suggestion)
    search(done.search, done.caret)
    input.current?.focus()
    requestAnimationFrame(() => input.current?.setSelectionRange(done.caret, done.caret))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = offered[active]
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      setOpen(true)
      const step = event.key === 'ArrowDown' ? 1 : -1
      if (offered.length > 0) setActive((at) => (at + step + offered.length + (at < 0 && step < 0 ? 1 : 0)) % offered.length)
    } else if ((event.key === 'Enter' || event.key === 'Tab') && chosen) take(chosen.text)
    else if (event.key === 'Enter') search(text, caret)
    else if (event.key === 'Escape' && offered.length > 0) setOpen(false)
    else if (event.key === 'Escape' && text !== '') search('', 0)
    else if (event.key === 'Escape') input.current?.blur()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <search className="search">
      <div className="search-box">
        <Icon name="search" size={14} />
        <input
          ref={input}
          id={id}
          type="search"
          className="field"
          data-search
          role="combobox"
          aria-label={label}
          aria-expanded={offered.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={offered[active] ? `${id}-${active}` : undefined}
          aria-invalid={fault !== undefined}
          aria-describedby={fault === undefined ? undefined : `${id}-fault`}
          autoComplete="off"
          spellCheck={false}
          placeholder="Find jobs: a word, is:failed, source:…"
          value={text}
          onFocus={() => {
            setOpen(true)
            onFocus?.()
          }}
          onBlur={() => setOpen(false)}
          onChange={(event) => {
            setOpen(true)
            search(event.target.value, event.target.selectionStart ?? event.target.value.length, PAUSE_MS)
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onKeyDown={onKeyDown}
        />
        <kbd aria-hidden="true">/</kbd>
        <ul id={`${id}-list`} role="listbox" aria-label="Suggestions" className="suggestions" hidden={offered.length === 0}>
          {offered.map(({ text: suggestion, hint }, index) => (
            <li
              key={suggestion}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              onMouseDown={(event) => {
                event.preventDefault()
                take(suggestion)
              }}
            >
              <code>{suggestion}</code> <span className="muted">{hint}</span>
            </li>
          ))}
        </ul>
      </div>
      <Chips text={value} onSearch={(next) => search(next, next.length)} />
      {fault !== undefined && (
        <p id={`${id}-fault`} className="bad small" role="alert">
          {fault}
        </p>
      )}
    </search>
  )
}

function Chips({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const all = terms(text)
  if (all.length === 0) return null
  return (
    <ul className="chips" aria-label="Terms of the search">
      {all.map((term) => (
        <li key={term.start}>
          <button
            type="button"
            className="chip-button"
            aria-label={`${term.text}: take it out`}
            onClick={() => onSearch(without(text, term))}
          >
            {term.text}
            <Icon name="close" size={11} />
          </button>
        </li>
      ))}
      {all.length > 1 && (
        <li>
          <button type="button" className="chip-button bare" onClick={() => onSearch('')}>
            Clear all
          </button>
        </li>
      )}
    </ul>
  )
}
