/** Places within a JSON document, spelled as the server spells them: `streams[0].key`. */

export type Json = Record<string, unknown>
type Step = string | number

function steps(path: string): Step[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) => (index === undefined ? (name ?? '') : Number(index)))
}

export function get(document: unknown, path: string): unknown {
  return steps(path).reduce<unknown>((value, step) => (isHolder(value) ? (value as Record<Step, unknown>)[step] : undefined), document)
}

/** `document` with another value at `path`; undefined takes it out, and so do the mappings that it leaves empty. */
export function put<T>(document: T, path: string, value: unknown): T {
  return placed(document, steps(path), value) as T
}

function placed(holder: unknown, [step, ...rest]: Step[], value: unknown): unknown {
  if (step === undefined) return value
  if (typeof step === 'number') {
    const list: unknown[] = Array.isArray(holder) ? [...(holder as unknown[])] : []
    const item = placed(list[step], rest, value)
    if (item === undefined) list.splice(step, 1)
    else list[step] = item
    return list
  }
  const mapping: Json = isMapping(holder) ? { ...holder } : {}
  const item = placed(mapping[step], rest, value)
  if (item === undefined || (rest.length > 0 && isMapping(item) && Object.keys(item).length === 0)) {
    return Object.fromEntries(Object.entries(mapping).filter(([name]) => name !== step))
  }
  mapping[step] = item
  return mapping
}

export function isMapping(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isHolder(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

export function text(document: unknown, path: string): string {
  const value = get(document, path)
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

export function texts(document: unknown, path: string): string[] {
  const value = get(document, path)
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}
