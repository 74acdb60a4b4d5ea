import type { Term } from '../api/wire'
import { useNow } from '../format/now'
import { howWords, toldTerms, type TermTold } from '../format/terms'
import { duration } from '../format/time'
import { StateGlyph, TONES, type AnyState } from './State'
import { Time } from './Time'

const LOOK: Partial<Record<string, AnyState>> = { released: 'succeeded', expired: 'missed', lost: 'missed' }

/** Who led when, newest first, and how each term passed on. */
export function TermsTable({ terms }: { terms: Term[] }) {
  const now = useNow()
  const told = toldTerms(terms, now)
  const longest = Math.max(1, ...told.map(({ lasted }) => lasted))
  return (
    <table aria-label="Terms">
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col">Held by</th>
          <th scope="col" className="mid">
            Gained
          </th>
          <th scope="col" className="number mid">
            For
          </th>
          <th scope="col">Ended</th>
          <th scope="col" className="number wide">
            Nobody led before it
          </th>
        </tr>
      </thead>
      <tbody>
        {told.map((one) => (
          <TermRow key={one.term.id} {...one} longest={longest} />
        ))}
      </tbody>
    </table>
  )
}

function TermRow({ term, lasted, gap, longest }: TermTold & { longest: number }) {
  const look = LOOK[term.how ?? ''] ?? 'pending'
  return (
    <tr>
      <th scope="row">{term.id}</th>
      <td>
        <span className="primary">{term.host}</span>
        <span className="under">
          pid {term.pid} · <code title={term.instance}>{term.instance.slice(0, 8)}</code>
        </span>
      </td>
      <td className="mid">
        <Time at={term.gained_at} />
      </td>
      <td className="number mid">
        <span className={`took ${term.ended_at ? 'calm' : 'busy'}`}>
          <span>{duration(lasted / 1000)}</span>
          <span aria-hidden="true" style={{ '--share': Math.max(0.01, lasted / longest) }} />
        </span>
      </td>
      <td>
        {term.ended_at ? (
          <>
            <span className={`state ${TONES[look]}`}>
              <StateGlyph state={look} />
              {term.how}
            </span>{' '}
            <Time at={term.ended_at} />
            <span className="under">{howWords(term.how)}</span>
          </>
        ) : (
          <span className="state busy">leads now</span>
        )}
      </td>
      <td className="number wide">{gap === null ? <span className="muted">–</span> : gap < 1 ? 'not at all' : duration(gap / 1000)}</td>
    </tr>
  )
}
