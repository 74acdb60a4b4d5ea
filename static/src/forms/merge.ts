/** Two people changed the same document: what each of them changed, and both together. */
import { same } from './job'
import { get, isMapping, put, type Json } from './path'

export interface Change {
  path: string
  before: unknown
  after: unknown
}

/** What differs, by the place of the smallest mapping's entry; a list differs as a whole unless its length is the same. */
export function changes(before: Json, after: Json): Change[] {
  return differing(before, after, '')
}

function differing(before: unknown, after: unknown, path: string): Change[] {
  if (same(before, after)) return []
  if (isMapping(before) && isMapping(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return names.flatMap((name) => differing(before[name], after[name], path ? `${path}.${name}` : name))
  }
  if (areMappings(before) && areMappings(after) && before.length === after.length) {
    return before.flatMap((one, index) => differing(one, after[index], `${path}[${index}]`))
  }
  return [{ path, before, after }]
}

function areMappings(value: unknown): value is Json[] {
  return Array.isArray(value) && value.every(isMapping)
}

/** `mine` put onto `theirs`: of what both changed, mine stands. */
export function together(base: Json, mine: Json, theirs: Json): Json {
  const list = changes(base, mine)
  // A list of streams that became longer or shorter is taken as it is: its places mean other streams now.
  return list.reduce<Json>((document, { path, after }) => put(document, path, after), theirs)
}

export interface Clash {
  /** What they changed meanwhile. */
  theirs: Change[]
  /** Of these, where we changed something else. */
  both: Set<string>
}

export function clash(base: Json, mine: Json, theirs: Json): Clash {
  const ours = changes(base, mine).map(({ path }) => path)
  const made = changes(base, theirs)
  const touch = (one: string, other: string) => one === other || within(one, other) || within(other, one)
  const both = made.filter(({ path }) => ours.some((our) => touch(our, path)) && !same(get(mine, path), get(theirs, path)))
  return { theirs: made, both: new Set(both.map(({ path }) => path)) }
}

function within(inner: string, outer: string): boolean {
  return inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`)
}

/** A value of a document in a word or two. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'not set'
  if (typeof value === 'string') return value
  if (value === true) return 'yes'
  if (value === false) return 'no'
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ') || 'none'
  return JSON.stringify(value)
}
