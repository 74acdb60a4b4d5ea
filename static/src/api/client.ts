import { noteServerTime } from '../format/now'

/** The only place that talks to the server: JSON in, JSON out, problems as errors. */

export interface Problem {
  title?: string
  detail?: string
  errors?: Fault[]
  /** The document as it stands, where the one that was changed is old. */
  current?: Record<string, unknown> | null
}

export interface Fault {
  field: string
  message: string
}

export class ApiError extends Error {
  /** `status` is 0 where nobody answered. */
  constructor(
    readonly status: number,
    readonly problem: Problem,
    /** Seconds to wait before the next try, where the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    const told = (problem.errors ?? []).map(({ field, message }) => (field ? `${field}: ${message}` : message))
    super([problem.detail ?? problem.title ?? `The server answered ${status}.`, ...told].join('\n'))
    this.name = 'ApiError'
  }
}

export interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  /** The revision that is to be changed: with another one the answer is 412. */
  revision?: number
  signal?: AbortSignal
  /** Milliseconds until we stop waiting. */
  patience?: number
}

export async function request<T>(path: string, { method = 'GET', body, revision, signal, patience = 15_000 }: Ask = {}): Promise<T> {
  const limit = AbortSignal.timeout(patience)
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers: {
        Accept: 'application/json',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(revision === undefined ? {} : { 'If-Match': `"${revision}"` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, { detail: limit.aborted ? 'The server took too long to answer.' : 'The server does not answer.' })
  }
  noteServerTime(response.headers.get('date'))
  const answer = await json(response)
  if (!response.ok) {
    const wait = Number(response.headers.get('retry-after')) || null
    throw new ApiError(response.status, isProblem(answer) ? answer : { title: response.statusText }, wait)
  }
  return answer as T
}

/** `path` with those of `query` that are set. */
export function withQuery(path: string, query: Record<string, string | number | null | undefined>): string {
  const set = Object.entries(query).filter((entry): entry is [string, string | number] => Boolean(entry[1]))
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set.map(([name, value]) => [name, String(value)]))}`
}

async function json(response: Response): Promise<unknown> {
  const text = await response.text()
  if (text === '') return null
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new ApiError(response.status, { title: `The server answered ${response.status}, and not in JSON.` })
  }
}

function isProblem(answer: unknown): answer is Problem {
  return typeof answer === 'object' && answer !== null && ('title' in answer || 'detail' in answer)
}
