import '../../styles/forms.css'
import { shown, type Clash as Shape } from '../../forms/merge'

interface ClashProps {
  clash: Shape
  what?: 'job' | 'alert'
  onMine: () => void
  onTheirs: () => void
}

/** It was changed by somebody else meanwhile: what they changed, and which of both shall stand. */
export function ClashNotice({ clash: { theirs, both }, what = 'job', onMine, onTheirs }: ClashProps) {
  return (
    <section className="clash" role="alert" aria-label="Changed meanwhile">
      <h3>Somebody changed this {what} while you did</h3>
      <p>
        {theirs.length === 0
          ? 'What they saved says the same as what you began with.'
          : both.size === 0
            ? 'They changed other fields than you: both can stand.'
            : 'Where both of you changed the same, one has to give way.'}
      </p>
      {theirs.length > 0 && (
        <table aria-label="What was changed meanwhile">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {theirs.map(({ path, before, after }) => (
              <tr key={path}>
                <th scope="row">
                  <code>{path}</code> {both.has(path) && <span className="tag wait">you too</span>}
                </th>
                <td>{shown(before)}</td>
                <td>{shown(after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className="actions">
        <button type="button" className="button" onClick={onTheirs}>
          Take theirs, drop my changes
        </button>
        <button type="button" className="button first" onClick={onMine}>
          {both.size === 0 ? 'Keep both, and go on' : 'Keep mine where we differ'}
        </button>
      </div>
    </section>
  )
}
