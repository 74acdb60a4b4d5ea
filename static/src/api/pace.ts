/** How often the server may be asked for what it counts over everything: the longer that takes, the less often. */

/** Asked at most this often, however quick the server is. */
const SOONEST_MS = 1_000
/** And at most this part of the time the server works for one page. */
const SHARE = 10

const took = new Map<string, number>()

/** Wait for `answer`, and remember under `name` how long that was. */
export async function paced<T>(name: string, answer: Promise<T>): Promise<T> {
  const begun = performance.now()
  try {
    return await answer
  } finally {
    took.set(name, performance.now() - begun)
  }
}

/** Milliseconds to let pass before all of it is asked anew. */
export function pause(): number {
  return Math.max(SOONEST_MS, SHARE * Math.max(0, ...took.values()))
}
