/** What a page keeps in its address, so that it can be sent to somebody, reloaded, and undone by Back. */
import { useCallback } from 'react'
import { useSearchParams } from 'wouter'

export type Changes = Record<string, string | null>
/** `replace` leaves no step to go back to: for what changes as one types. */
type How = { replace?: boolean }

/** The query of the address, and a way to change some of it: null or '' takes a name out. */
export function useAddress(): [query: URLSearchParams, change: (changes: Changes, how?: How) => void] {
  const [query, setQuery] = useSearchParams()
  const change = useCallback(
    (changes: Changes, { replace = false }: How = {}) => setQuery((before) => withParams(before, changes), { replace }),
    [setQuery],
  )
  return [query, change]
}

/** One value of the query: what it is, and how to change it. */
export function useParam(name: string): [string | null, (value: string | null, how?: How) => void] {
  const [query, change] = useAddress()
  const set = useCallback((value: string | null, how?: How) => change({ [name]: value }, how), [change, name])
  return [query.get(name) || null, set]
}

/** `query` with some values changed; null or '' takes one out. */
export function withParams(query: URLSearchParams, changes: Changes): URLSearchParams {
  const after = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changes)) {
    if (value) after.set(name, value)
    else after.delete(name)
  }
  return after
}

/** `path` with the query of this page, changed: for links to another page of the same list. */
export function address(path: string, query: URLSearchParams, changes: Changes): string {
  const after = withParams(query, changes).toString()
  return after ? `${path}?${after}` : path
}
