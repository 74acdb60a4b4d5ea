import { isMapping } from '../forms/path'

/** A checkpoint of the form `{by: [column, …], after: [{t, v}, …]}` as pairs of column and value; null for any other. */
export function placesOf(value: unknown): [column: string, at: string][] | null {
  if (!isMapping(value) || !Array.isArray(value.by) || !Array.isArray(value.after) || value.by.length !== value.after.length) return null
  const after: unknown[] = value.after
  const pairs = value.by.map((column, index): [unknown, unknown] => [column, after[index]])
  if (!pairs.every(([column, at]) => typeof column === 'string' && isMapping(at) && 'v' in at)) return null
  return pairs.map(([column, at]) => [String(column), shown(isMapping(at) ? at.v : null)])
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
