import { count, plural } from '../../format/number'
import { exact } from '../../format/time'
import { StateGlyph } from '../State'
import { Time } from '../Time'

interface Verdict {
  stream: string
  at: string | null
  through: string | null
  rows: number
  differing: number
  missing: number
  changed: number
  extra: number
  others: number
  ahead: number
  unsent: number
  mended: number
  reread: number
  examples: string[]
}

/** What a comparison of both sides found, by stream; what is not a verdict is left out. */
export function verdictsOf(verified: Record<string, unknown>): Verdict[] {
  return Object.entries(verified).flatMap(([stream, found]) => {
    if (typeof found !== 'object' || found === null) return []
    const told = found as Record<string, unknown>
    const number = (name: string) => (typeof told[name] === 'number' ? told[name] : 0)
    const text = (name: string) => (typeof told[name] === 'string' ? told[name] : null)
    const examples = Array.isArray(told.examples) ? told.examples.filter((one): one is string => typeof one === 'string') : []
    const names = ['rows', 'differing', 'missing', 'changed', 'extra', 'others', 'ahead', 'unsent', 'mended', 'reread'] as const
    const numbers = Object.fromEntries(names.map((name) => [name, number(name)])) as Record<(typeof names)[number], number>
    return [{ stream, at: text('at'), through: text('through'), examples, ...numbers }]
  })
}

export function Verified({ verified }: { verified: Record<string, unknown> }) {
  return (
    <ul className="verdicts">
      {verdictsOf(verified).map((verdict) => (
        <li key={verdict.stream} className={verdict.differing > 0 ? 'bad' : 'good'}>
          <StateGlyph state={verdict.differing > 0 ? 'failed' : 'succeeded'} size={18} />
          <div>
            <strong>{verdict.stream}</strong>
            <p>{sentence(verdict)}</p>
            {verdict.examples.length > 0 && (
              <details>
                <summary>{plural(verdict.examples.length, 'example')}</summary>
                <ul className="mono small">
                  {verdict.examples.map((example) => (
                    <li key={example}>{example}</li>
                  ))}
                </ul>
              </details>
            )}
            <span className="under">
              Compared <Time at={verdict.at} />
              {verdict.through && ` through ${told(verdict.through)}`}
            </span>
          </div>
        </li>
      ))}
    </ul>
  )
}

/** How far rows were compared: a time where it is one, else the value of a cursor as it is. */
function told(through: string): string {
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(through) ? exact(through) : through
}

/** "1,204 rows compared: 3 differ (1 missing, 2 changed), 3 mended." */
export function sentence(verdict: Verdict): string {
  const found = verdict.missing + verdict.changed + verdict.extra
  const kinds: [number, string][] = [
    [verdict.missing, 'missing'],
    [verdict.changed, 'changed'],
    [verdict.extra, 'too many'],
  ]
  const told = kinds.flatMap(([amount, word]) => (amount > 0 ? [`${count(amount)} ${word}`] : []))
  const besides: [number, string][] = [
    [verdict.mended, 'mended'],
    [verdict.reread, 'read again'],
    [verdict.others, 'more at the destination, which this stream never deletes'],
    [verdict.ahead, 'newer than the checkpoint'],
    [verdict.unsent, 'without a cursor'],
  ]
  const rest = besides.flatMap(([amount, words]) => (amount > 0 ? [`${count(amount)} ${words}`] : []))
  const state = found === 0 ? 'all equal' : `${plural(found, 'differs', 'differ')} (${told.join(', ')})`
  return [`${plural(verdict.rows, 'row')} compared: ${state}`, ...rest].join('; ') + '.'
}
