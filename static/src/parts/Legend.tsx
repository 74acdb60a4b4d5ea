import type { RunState } from '../api/wire'
import { TONES } from './State'

const STATES: RunState[] = ['succeeded', 'running', 'failed', 'held', 'cancelled', 'skipped', 'missed']

/** What the marks of the timeline mean. */
export function Legend() {
  return (
    <ul className="legend">
      {STATES.map((state) => (
        <li key={state}>
          <span className={TONES[state]} data-swatch={state} aria-hidden="true" />
          {state}
        </li>
      ))}
      <li>
        <span className="calm" data-swatch="ahead" aria-hidden="true" />
        to come, as long as it usually takes
      </li>
      <li>
        <span className="calm" data-swatch="note" aria-hidden="true" />
        the clocks change
      </li>
    </ul>
  )
}
