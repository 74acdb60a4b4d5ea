import { useState } from 'react'
import type { Changes } from '../../address'
import { useJobs } from '../../api/queries'
import type { RunState, Trigger } from '../../api/wire'
import { Icon } from '../../parts/Icon'
import { StateGlyph, TONES } from '../../parts/State'

const STATES = (Object.keys(TONES) as (keyof typeof TONES)[]).filter((state): state is RunState => state !== 'pending')
const PERIODS: [hours: string, label: string][] = [
  ['1', 'Last hour'],
  ['24', 'Last day'],
  ['168', 'Last week'],
]

const TRIGGERS: Record<Trigger, string> = {
  schedule: 'By a schedule',
  manual: 'By hand',
  retry: 'Retries',
  backfill: 'Backfills',
}

/** The trigger that an address names; what is none is left out. */
export function triggerOf(text: string | null): Trigger | null {
  return text !== null && text in TRIGGERS ? (text as Trigger) : null
}

/** The states that an address names; what is none is left out. */
export function statesOf(text: string | null): RunState[] {
  const named = text?.split(',') ?? []
  return STATES.filter((state) => named.includes(state))
}

/** The instant so many hours ago, on a whole minute, so that the question stays the same while it is looked at. */
export function sinceOf(hours: string | null): string | null {
  const ago = Number(hours)
  if (!(ago > 0)) return null
  const minute = 60_000
  return new Date(Math.floor(Date.now() / minute) * minute - ago * 3_600_000).toISOString()
}

interface RunFiltersProps {
  job: string | null
  states: readonly RunState[]
  trigger: Trigger | null
  hours: string | null
  onChange: (changes: Changes) => void
}

/** What narrows the history; each choice is a step that Back undoes. */
export function RunFilters({ job, states, trigger, hours, onChange }: RunFiltersProps) {
  const toggle = (state: RunState) => {
    const next = states.includes(state) ? states.filter((one) => one !== state) : [...states, state]
    onChange({ state: STATES.filter((one) => next.includes(one)).join(',') })
  }
  return (
    <search className="run-filters" aria-label="Which runs">
      <JobField key={job} job={job} onJob={(id) => onChange({ job: id })} />
      <div className="chips" role="group" aria-label="States">
        {STATES.map((state) => (
          <button key={state} type="button" className={`chip ${TONES[state]}`} aria-pressed={states.includes(state)} onClick={() => toggle(state)}>
            <StateGlyph state={state} size={13} still />
            {state}
          </button>
        ))}
      </div>
      <div className="choices">
        <select
          className="field"
          aria-label="How they began"
          value={trigger ?? ''}
          onChange={(event) => onChange({ trigger: event.target.value })}
        >
          <option value="">However begun</option>
          {Object.entries(TRIGGERS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <select className="field" aria-label="Since" value={hours ?? ''} onChange={(event) => onChange({ hours: event.target.value })}>
          <option value="">Ever</option>
          {PERIODS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {(job !== null || states.length > 0 || trigger !== null || hours !== null) && (
        <button
          type="button"
          className="button little bare"
          onClick={() => onChange({ job: null, state: null, trigger: null, hours: null })}
        >
          Clear the filters
        </button>
      )}
    </search>
  )
}

/** A job by its name, with those that begin or go on like it offered; chosen, it is a chip that can be taken out. */
function JobField({ job, onJob }: { job: string | null; onJob: (id: string | null) => void }) {
  const [typed, setTyped] = useState('')
  const offered = useJobs({ q: typed, limit: 20 })
  if (job !== null) {
    return (
      <button type="button" className="chip" aria-pressed="true" onClick={() => onJob(null)}>
        job: {job} <Icon name="close" size={11} />
        <span className="hidden">: take it out</span>
      </button>
    )
  }
  const names = offered.data?.items.map(({ id }) => id) ?? []
  const take = (text: string) => {
    const id = text.trim()
    if (id) onJob(id)
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        take(typed)
      }}
    >
      <input
        className="field"
        type="search"
        list="jobs-to-filter"
        data-search
        aria-label="Job"
        placeholder="Any job"
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          const text = event.target.value
          setTyped(text)
          // Chosen from the list it comes all at once, without a key.
          if (names.includes(text) && !('inputType' in event.nativeEvent && event.nativeEvent.inputType === 'insertText')) take(text)
        }}
      />
      <datalist id="jobs-to-filter">
        {names.map((id) => (
          <option key={id} value={id} />
        ))}
      </datalist>
    </form>
  )
}
