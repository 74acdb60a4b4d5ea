import { useNow } from '../format/now'
import { duration } from '../format/time'
import type { LiveState } from '../api/live'
import { Icon } from './Icon'
import type { Tone } from './State'

const WORDS: Record<LiveState, string> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  paused: 'Paused',
}

const TONE: Record<LiveState, Tone> = { connecting: 'calm', live: 'good', reconnecting: 'wait', paused: 'calm' }

interface LiveMarkProps {
  state: LiveState
  /** When the last data came, in ms; 0 before the first. */
  since: number
  held: boolean
  onHold: (held: boolean) => void
}

/** How old the data is, whether it moves by itself, and a way to make it stand still. */
export function LiveMark({ state, since, held, onHold }: LiveMarkProps) {
  const now = useNow()
  const age = Math.max(0, now - since)
  const old = state !== 'live' && since > 0 && age >= 2_000
  return (
    <div className="live-line">
      <span className={`live ${TONE[state]}`} title={since > 0 ? `Data of ${new Date(since).toLocaleTimeString('en-GB')}` : undefined}>
        <LiveGlyph state={state} />
        <span role="status">{WORDS[state]}</span>
        {old && <span className="muted"> · {duration(Math.round(age / 1000))} old</span>}
      </span>
      <button type="button" className="button little bare" onClick={() => onHold(!held)} title={held ? 'Go on' : 'Make the page stand still'}>
        <Icon name={held ? 'resume' : 'pause'} size={13} />
        <span className="hidden">{held ? 'Let the page go on' : 'Pause the page'}</span>
      </button>
    </div>
  )
}

function LiveGlyph({ state }: { state: LiveState }) {
  return (
    <svg aria-hidden="true" width="10" height="10" viewBox="0 0 10 10" fill="none" stroke="currentColor" strokeWidth="1.75">
      {state === 'live' && <circle cx="5" cy="5" r="4" fill="currentColor" stroke="none" />}
      {state === 'connecting' && <circle cx="5" cy="5" r="3.9" />}
      {state === 'reconnecting' && <path d="M5 1.4 9 8.8H1z" strokeLinejoin="round" />}
      {state === 'paused' && <path d="M3 1.5v7M7 1.5v7" />}
    </svg>
  )
}
