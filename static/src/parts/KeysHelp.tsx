import type { RefObject } from 'react'
import { HELP } from '../keys/strokes'

/** The keys, listed. */
export function KeysHelp({ dialog }: { dialog: RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog ref={dialog} className="keys" aria-labelledby="keys-title">
      <form method="dialog">
        <h2 id="keys-title">Keys</h2>
        <div className="keys-groups">
          {HELP.map(([title, lines]) => (
            <section key={title} aria-label={title}>
              <h3>{title}</h3>
              <dl>
                {lines.map(([keys, what]) => (
                  <div key={what}>
                    <dt>
                      {keys.map((key) => (
                        <kbd key={key}>{key}</kbd>
                      ))}
                    </dt>
                    <dd>{what}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <p className="muted small">They rest while you type, and while a dialog is open.</p>
        <div className="actions">
          <button className="button first" autoFocus>
            Close
          </button>
        </div>
      </form>
    </dialog>
  )
}
