import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useLocation } from 'wouter'
import { useAnyJobDeed, useFoundJobs } from '../api/palette'
import { useRights } from '../api/session'
import { entries, jobWords, type Entry } from '../format/palette'
import { firstLine } from '../format/run'
import { Icon } from '../parts/Icon'
import { choose } from '../theme'
import { useLater } from '../useLater'

/** Everything by its name: pages, jobs, what can be done with a job, themes. */
export function Palette({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [, go] = useLocation()
  const { operate } = useRights()
  const [typed, setTyped] = useState('')
  const [active, setActive] = useState(0)
  const words = useLater(jobWords(typed))
  const found = useFoundJobs(words)
  const deed = useAnyJobDeed()
  const [said, setSaid] = useState('')
  // Not deferred: Enter right after the last letter takes what that letter found.
  const shown = entries(typed, words && found.data ? found.data.items : [], operate)
  const at = Math.min(active, shown.length - 1)

  useEffect(() => {
    const element = dialog.current
    if (element && !element.open) element.showModal()
  }, [])
  useEffect(() => {
    document.getElementById(`palette-${at}`)?.scrollIntoView({ block: 'nearest' })
  }, [at])

  const take = ({ does, label }: Entry) => {
    if (does.kind === 'go') {
      dialog.current?.close()
      go(does.to)
    } else if (does.kind === 'theme') {
      choose(does.theme)
      setSaid(`${label}: chosen.`)
    } else {
      setSaid(`${label}: asking…`)
      deed.mutate(does, {
        onSuccess: () => setSaid(`${label}: done.`),
        onError: (error) => setSaid(`${label}: ${firstLine(error.message)}`),
      })
    }
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const last = shown.length - 1
    const chosen = shown[at]
    if (event.key === 'ArrowDown') setActive(at >= last ? 0 : at + 1)
    else if (event.key === 'ArrowUp') setActive(at <= 0 ? last : at - 1)
    else if (event.key === 'Enter' && chosen) take(chosen)
    else return
    event.preventDefault()
  }

  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Find a page, a job or an action"
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && event.currentTarget.close()}
    >
      <div className="palette-field">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-label="Find a page, a job or an action"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-autocomplete="list"
          aria-activedescendant={shown[at] ? `palette-${at}` : undefined}
          autoComplete="off"
          spellCheck={false}
          autoFocus
          placeholder="A page, a job, “run orders”, “dark”…"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value)
            setActive(0)
            setSaid('')
          }}
          onKeyDown={onKeyDown}
        />
        <kbd aria-hidden="true">Esc</kbd>
      </div>
      <ul id="palette-list" role="listbox" aria-label="What fits">
        {shown.map((entry, index) => (
          <li
            key={entry.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === at}
            onMouseMove={() => setActive(index)}
            onClick={() => take(entry)}
          >
            {entry.label} <span className="muted small">{entry.hint}</span>
          </li>
        ))}
      </ul>
      {shown.length === 0 && !found.isFetching && <p className="panel-body muted">Nothing is called that.</p>}
      <p className="palette-said small" role="status">
        {said}
      </p>
    </dialog>
  )
}
