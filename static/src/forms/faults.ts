/** Where the faults that the server named belong: at a field, in a step, or above them all. */
import { ApiError, type Fault } from '../api/client'

/** The faults of a refusal; none where it was of another kind. */
export function faultsOf(error: Error | null): Fault[] {
  return error instanceof ApiError ? (error.problem.errors ?? []) : []
}

/** What is wrong at this very field. */
export function faultAt(faults: Fault[], path: string): string | undefined {
  return faults.find(({ field }) => field === path)?.message
}

/** What is wrong at `path`, or anywhere within it. */
export function faultsUnder(faults: Fault[], path: string): Fault[] {
  return faults.filter(({ field }) => field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`))
}

/** Those that none of `paths` shows: they are told above the form, so that none is lost. */
export function faultsElsewhere(faults: Fault[], paths: string[]): Fault[] {
  const shown = new Set(paths.flatMap((path) => faultsUnder(faults, path)))
  return faults.filter((fault) => !shown.has(fault))
}

export function words({ field, message }: Fault): string {
  return field ? `${field} ${message}` : message
}
