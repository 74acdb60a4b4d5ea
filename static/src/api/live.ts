/** One stream of server-sent events for the page, and whether it can be relied on. */
import { useSyncExternalStore } from 'react'

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'paused'

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 30_000

export interface LiveEvent {
  type: string
  data: unknown
}

/** Opens while the page is seen and not held, closes otherwise; comes back by itself, later each time. */
export class Live {
  state: LiveState = 'connecting'
  /** A person paused it: then nothing moves until they let it go on. */
  held = false
  private source: EventSource | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private failures = 0
  private readonly watchers = new Set<() => void>()

  constructor(
    private readonly url: string,
    private readonly types: readonly string[],
    private readonly onEvent: (event: LiveEvent) => void,
    /** The stream opened, or broke: what is known may be old. */
    private readonly onChange: () => void,
  ) {}

  start(): () => void {
    const seen = () => (document.hidden || this.held ? this.pause() : this.open())
    document.addEventListener('visibilitychange', seen)
    seen()
    return () => {
      document.removeEventListener('visibilitychange', seen)
      this.pause()
    }
  }

  hold(held: boolean): void {
    this.held = held
    if (held || document.hidden) this.pause()
    else this.open()
  }

  readonly watch = (tell: () => void): (() => void) => {
    this.watchers.add(tell)
    return () => this.watchers.delete(tell)
  }

  private open(): void {
    this.close()
    if (this.state === 'paused') this.become('connecting')
    const source = new EventSource(this.url)
    this.source = source
    source.onopen = () => {
      this.failures = 0
      this.become('live')
      this.onChange()
    }
    source.onerror = () => {
      const was = this.state
      this.become('reconnecting')
      if (was === 'live') this.onChange()
      // The browser tries again by itself unless it was refused: then we do.
      if (source.readyState === EventSource.CLOSED) this.later()
    }
    for (const type of this.types) {
      source.addEventListener(type, (event) => this.onEvent({ type, data: parsed(event.data) }))
    }
  }

  private later(): void {
    this.close()
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures)
    this.failures += 1
    this.timer = setTimeout(() => this.open(), wait)
  }

  private pause(): void {
    this.close()
    this.become('paused')
  }

  private close(): void {
    clearTimeout(this.timer)
    this.source?.close()
    this.source = null
  }

  private become(state: LiveState): void {
    this.state = state
    this.watchers.forEach((tell) => tell())
  }
}

function parsed(data: unknown): unknown {
  try {
    return typeof data === 'string' ? (JSON.parse(data) as unknown) : null
  } catch {
    return null
  }
}

export function useLiveState(live: Live): LiveState {
  return useSyncExternalStore(live.watch, () => live.state)
}
