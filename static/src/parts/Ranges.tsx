import { RANGES, type RangeName } from '../format/range'

/** The spans of time to choose from. */
export function Ranges({ chosen, onChoose }: { chosen: RangeName; onChoose: (name: RangeName) => void }) {
  return (
    <div className="segments" role="group" aria-label="Span of time">
      {RANGES.map(({ name, label, title }) => (
        <button key={name} type="button" aria-pressed={name === chosen} title={title} onClick={() => onChoose(name)}>
          {label}
        </button>
      ))}
    </div>
  )
}
