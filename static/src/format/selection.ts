/** Which rows of a list are chosen, as checkboxes and shift-click are used to be understood. */

/** `chosen` with `id` turned on or off; with `from` all between the two as well, in the order of `ids`. */
export function toggled(chosen: readonly string[], ids: readonly string[], id: string, on: boolean, from: string | null): string[] {
  const [start, end] = [from === null ? -1 : ids.indexOf(from), ids.indexOf(id)]
  const range = start < 0 || end < 0 ? [id] : ids.slice(Math.min(start, end), Math.max(start, end) + 1)
  const rest = chosen.filter((one) => !range.includes(one))
  return on ? ids.filter((one) => rest.includes(one) || range.includes(one)) : rest
}

/** How many things of a list are other than they were: changed, come or gone. */
export function changes<T>(before: readonly T[], after: readonly T[], id: (one: T) => string, look: (one: T) => string): number {
  const looks = new Map(after.map((one) => [id(one), look(one)]))
  const other = before.filter((one) => looks.get(id(one)) !== look(one)).length
  const known = new Set(before.map(id))
  return other + after.filter((one) => !known.has(id(one))).length
}
