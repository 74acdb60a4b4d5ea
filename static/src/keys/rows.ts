/** The row of a list that the keyboard is at: it is the one that has the focus, so that a screen reader reads it.
 *
 * Every table row that has a link is such a row, on every page; a list needs nothing of its own for that.
 */

function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('main [data-row], main tbody tr:has(th a)')].filter(
    (row) => row.getClientRects().length > 0,
  )
}

function current(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>('main [data-row], main tbody tr') ?? null
}

export function moveRow(by: 1 | -1): void {
  const all = rows()
  const at = all.findIndex((row) => row === current())
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))]
  if (!next) return
  next.tabIndex = -1
  next.focus({ preventScroll: true })
  next.scrollIntoView({ block: 'nearest' })
}

/** Open the current row where it has the focus itself; a link or button in it opens by itself. */
export function openRow(): boolean {
  const row = document.activeElement
  if (!(row instanceof HTMLElement) || row !== current()) return false
  row.querySelector<HTMLElement>('[data-open], th a, a')?.click()
  return true
}

export function selectRow(): boolean {
  const box = current()?.querySelector<HTMLElement>('[data-pick]')
  box?.click()
  return Boolean(box)
}

/** Run the job of the current row; where there is no row, that of the page. */
export function runRow(): boolean {
  const row = current()
  const button = (row ?? document.querySelector('main .page-head'))?.querySelector<HTMLButtonElement>('[data-run] button:not(:disabled)')
  button?.click()
  return Boolean(button)
}
