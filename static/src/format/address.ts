/** `next` where it is an address of this very site (as the browser would read it), else the overview. */
export function within(next: string | null, origin: string): string {
  if (next === null) return '/'
  try {
    const url = new URL(next, origin)
    return url.origin === origin ? url.pathname + url.search + url.hash : '/'
  } catch {
    return '/'
  }
}

/** Of an alert; `new` is that of one to be made. */
export function alertPage(id: string): string {
  return `/settings?tab=alerts&alert=${encodeURIComponent(id)}`
}
