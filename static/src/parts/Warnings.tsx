import { Link } from 'wouter'
import type { Warning } from '../api/wire'
import { alertPage } from '../format/address'
import { count } from '../format/number'
import { Panel } from './Panel'
import { StateGlyph, TONES } from './State'

/** What the watchdog found stuck, in its own words. */
export function Warnings({ warnings }: { warnings: readonly Warning[] }) {
  return (
    <Panel title="Warnings" note={count(warnings.length)}>
      <ul className="needs">
        {warnings.map(({ kind, subject, message }) => (
          <li key={`${kind} ${subject}`} className={TONES.missed}>
            <StateGlyph state="missed" size={18} />
            <p>{message}</p>
            {kind === 'undelivered_alert' && (
              <Link href={alertPage(subject)} className="button little">
                See the alert
              </Link>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
