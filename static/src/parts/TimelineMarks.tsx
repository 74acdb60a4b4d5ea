import type { Mark } from '../format/timeline'
import { TONES } from './State'

const HEIGHT = 28

/** Every state has its own height and place beside its colour: [from the top, height]. */
const BOXES: Record<Mark['state'], [top: number, height: number]> = {
  succeeded: [8, 12],
  running: [6, 16],
  queued: [10, 8],
  failed: [2, 24],
  held: [4, 20],
  cancelled: [12, 4],
  skipped: [13, 2],
  missed: [12, 4],
  ahead: [9, 10],
}

/** Those drawn later lie above: what went wrong is never hidden by what went well. */
const ORDER: Mark['state'][] = ['ahead', 'skipped', 'missed', 'succeeded', 'cancelled', 'queued', 'running', 'held', 'failed']

/** A pixel for a digit, and some air: below this a count has no room. */
const DIGIT = 6
const AIR = 8

/** The marks of one row. One shape a state, however many marks there are, so that a page of rows stays light. */
export function TimelineMarks({ marks, width, chosen }: { marks: readonly Mark[]; width: number; chosen: Mark | undefined }) {
  const counted = marks.filter((mark) => mark.count > 1 && hasRoom(mark))
  const plain = marks.filter((mark) => !(mark.count > 1 && hasRoom(mark)))
  return (
    <svg className="marks" width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} aria-hidden="true">
      <path className="marks-line" d={`M0 ${HEIGHT / 2}H${width}`} />
      {ORDER.map((state) => {
        const path = outline(plain.filter((mark) => mark.state === state))
        return path && <path key={state} className={toneOf(state)} data-mark={state} d={path} />
      })}
      {counted.map((mark) => {
        const [top, height] = BOXES[mark.state]
        const box = { x: mark.x + 0.5, y: Math.min(top, 6), width: mark.width - 1.5, height: Math.max(height, 16) }
        return (
          <g key={`${mark.state} ${mark.start}`} className={`chip ${toneOf(mark.state)}`} data-mark={mark.state}>
            <rect {...box} rx="3" />
            <text x={mark.x + mark.width / 2} y={HEIGHT / 2 + 3.5}>
              {mark.count}
            </text>
          </g>
        )
      })}
      {marks
        .filter((mark) => mark.note !== null)
        .map((mark) => (
          <path key={mark.start} className="marks-note" d={`M${mark.x - 3} 1h8l-4 6z`} />
        ))}
      {chosen && <rect className="marks-chosen" x={chosen.x - 2} y="1" width={chosen.width + 4} height={HEIGHT - 2} rx="3" />}
    </svg>
  )
}

function hasRoom({ width, count }: Mark): boolean {
  return width >= String(count).length * DIGIT + AIR
}

export function toneOf(state: Mark['state']): string {
  return state === 'ahead' ? 'calm' : TONES[state]
}

function outline(marks: readonly Mark[]): string {
  return marks
    .map(({ state, x, width }) => {
      const [top, height] = BOXES[state]
      return `M${round(x)} ${top}h${round(Math.max(3, width - 1))}v${height}h${-round(Math.max(3, width - 1))}z`
    })
    .join('')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
