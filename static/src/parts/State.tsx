import type { ReactNode } from 'react'
import type { RunState, StreamState } from '../api/wire'

export type Tone = 'good' | 'bad' | 'busy' | 'wait' | 'calm'
export type AnyState = RunState | StreamState

/** The one place that gives a state its colour; a new state stops compiling here. */
export const TONES: Record<AnyState, Tone> = {
  pending: 'calm',
  queued: 'calm',
  running: 'busy',
  held: 'wait',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'calm',
  skipped: 'calm',
  missed: 'wait',
}

const ring = <circle cx="8" cy="8" r="5.75" />

/** Each state has a shape of its own, so that colour is never all there is. */
const SHAPES: Record<AnyState, ReactNode> = {
  pending: <circle cx="8" cy="8" r="5.75" strokeDasharray="1.5 2.5" />,
  queued: (
    <>
      {ring}
      <path d="M8 5v3.2l2 1.3" />
    </>
  ),
  running: <path d="M8 2.25A5.75 5.75 0 1 1 2.25 8" strokeWidth="2" />,
  held: <path d="M3 3h10v10H3zM6.5 6v4M9.5 6v4" />,
  succeeded: (
    <>
      <circle cx="8" cy="8" r="6.5" fill="currentColor" stroke="none" />
      <path d="m5.2 8.2 1.9 1.9 3.7-4" stroke="var(--ground, var(--surface))" strokeWidth="1.75" />
    </>
  ),
  failed: (
    <>
      <path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z" fill="currentColor" stroke="none" />
      <path d="m5.8 5.8 4.4 4.4M10.2 5.8l-4.4 4.4" stroke="var(--ground, var(--surface))" strokeWidth="1.75" />
    </>
  ),
  cancelled: (
    <>
      {ring}
      <path d="m4.2 11.8 7.6-7.6" />
    </>
  ),
  skipped: <path d="m3.5 4 4 4-4 4M8.5 4l4 4-4 4" />,
  missed: <path d="M8 2 14.2 13H1.8zM8 6.2v3.2M8 11.2v.01" />,
}

/** `still`: of something that is past, so that nothing turns. */
export function StateGlyph({ state, size = 15, still = false }: { state: AnyState; size?: number; still?: boolean }) {
  return (
    <svg
      aria-hidden="true"
      className={state === 'running' && !still ? 'turning' : undefined}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {SHAPES[state]}
    </svg>
  )
}

/** A state as a pill; `children` replaces the word where more is known ("cancelling"). */
export function State({ state, children }: { state: AnyState; children?: ReactNode }) {
  return (
    <span className={`state ${TONES[state]}`}>
      <StateGlyph state={state} />
      {children ?? state}
    </span>
  )
}
