/** The search language of jobs, as the page helps with it: words and `field:value`, with `-` in front for "not".
 *
 * What a search means is the server's to say; this reads it only as far as to draw chips and to suggest what comes next.
 */
import { searchWord, STANDINGS, STANDING_WORDS } from './health'

export interface Term {
  text: string
  start: number
  end: number
}

export interface Suggestion {
  /** What the term under the caret becomes. */
  text: string
  hint: string
}

const TERM = /-?(?:[a-z_]+:)?(?:"[^"]*"?|[^\s"]+)/g

const FIELDS: [field: string, hint: string][] = [
  ['is:', 'how it stands: failed, late, …'],
  ['source:', 'the connection it reads from'],
  ['destination:', 'the connection it writes to'],
  ['stream:', 'a stream that it moves'],
  ['owner:', 'the file that keeps it'],
  ['id:', 'part of its name'],
]

const MOST = 8

/** The terms of a search, in its order. */
export function terms(search: string): Term[] {
  return [...search.matchAll(TERM)].map((found) => ({
    text: found[0],
    start: found.index,
    end: found.index + found[0].length,
  }))
}

/** `search` without one of its terms. */
export function without(search: string, term: Term): string {
  return `${search.slice(0, term.start)}${search.slice(term.end)}`.replace(/\s+/g, ' ').trim()
}

/** What could come where the caret is: fields, and the values of a field that is begun. `connections` are their ids. */
export function suggestions(search: string, caret: number, connections: readonly string[]): Suggestion[] {
  const typed = termAt(search, caret).text
  const minus = typed.startsWith('-') ? '-' : ''
  const bare = typed.slice(minus.length).toLowerCase()
  const colon = bare.indexOf(':')
  if (colon < 0) {
    return FIELDS.filter(([field]) => field.startsWith(bare)).map(([field, hint]) => ({ text: `${minus}${field}`, hint }))
  }
  const field = bare.slice(0, colon + 1)
  const value = bare.slice(colon + 1)
  const values: Suggestion[] =
    field === 'is:'
      ? STANDINGS.map((one) => ({ text: searchWord(one), hint: STANDING_WORDS[one] }))
      : field === 'source:' || field === 'destination:'
        ? connections.map((id) => ({ text: id, hint: 'connection' }))
        : []
  const begins = ({ text }: Suggestion) => (text.startsWith(value) ? 0 : 1)
  return values
    .filter(({ text }) => text.includes(value) && text !== value)
    .sort((a, b) => begins(a) - begins(b))
    .slice(0, MOST)
    .map(({ text, hint }) => ({ text: `${minus}${field}${text}`, hint }))
}

/** Whether a term of it is only begun: `source:` without a value, `is:fai`; not `is:failed`, and not `is:nonsense` either. */
export function unfinished(search: string): boolean {
  const words = STANDINGS.map(searchWord)
  return terms(search).some(({ text }) => {
    const bare = text.replace(/^-/, '')
    if (FIELDS.some(([field]) => field === bare)) return true
    const value = /^is:(.+)$/.exec(bare)?.[1]
    return value !== undefined && !words.includes(value) && words.some((word) => word.startsWith(value))
  })
}

/** `search` with the term under the caret replaced, and where the caret is then; a whole term gets a space behind it. */
export function completed(search: string, caret: number, text: string): { search: string; caret: number } {
  const term = termAt(search, caret)
  const behind = search.slice(term.end)
  const put = text.endsWith(':') || behind.startsWith(' ') ? text : `${text} `
  return { search: search.slice(0, term.start) + put + behind, caret: term.start + put.length }
}

function termAt(search: string, caret: number): Term {
  return terms(search).find(({ start, end }) => start <= caret && caret <= end) ?? { text: '', start: caret, end: caret }
}
