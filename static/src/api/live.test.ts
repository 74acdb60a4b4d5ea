// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Live } from './live'

class FakeSource extends EventTarget {
  static readonly CLOSED = 2
  static opened: FakeSource[] = []
  readyState = 0
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null

  constructor(readonly url: string) {
    super()
    FakeSource.opened.push(this)
  }

  close(): void {
    this.readyState = FakeSource.CLOSED
  }

  refuse(): void {
    this.close()
    this.onerror?.()
  }
}

const onEvent = vi.fn()
const onChange = vi.fn()
let live: Live
let stop: () => void

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', FakeSource)
  FakeSource.opened = []
  onEvent.mockReset()
  onChange.mockReset()
  live = new Live('/api/events', ['run'], onEvent, onChange)
  stop = live.start()
})

afterEach(() => {
  stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function source(): FakeSource {
  const last = FakeSource.opened.at(-1)
  if (!last) throw new Error('nothing was opened')
  return last
}

test('it is live once the stream is open', () => {
  expect(live.state).toBe('connecting')
  source().onopen?.()
  expect(live.state).toBe('live')
  expect(onChange).toHaveBeenCalledOnce()
})

test('events come with their data', () => {
  source().dispatchEvent(new MessageEvent('run', { data: '{"id": "a"}' }))
  source().dispatchEvent(new MessageEvent('run', { data: 'no JSON' }))
  expect(onEvent.mock.calls).toEqual([[{ type: 'run', data: { id: 'a' } }], [{ type: 'run', data: null }]])
})

test('a refused stream is tried again, later each time', () => {
  source().refuse()
  expect(live.state).toBe('reconnecting')
  vi.advanceTimersByTime(1_000)
  expect(FakeSource.opened).toHaveLength(2)
  source().refuse()
  vi.advanceTimersByTime(1_999)
  expect(FakeSource.opened).toHaveLength(2)
  vi.advanceTimersByTime(1)
  expect(FakeSource.opened).toHaveLength(3)
})

test('a stream that broke says once that what is known may be old', () => {
  source().onopen?.()
  source().onerror?.()
  source().onerror?.()
  expect(live.state).toBe('reconnecting')
  expect(onChange).toHaveBeenCalledTimes(2)
})

test('it stands still while a person holds it, whether the page is seen or not', () => {
  source().onopen?.()
  live.hold(true)
  expect(live.state).toBe('paused')
  expect(source().readyState).toBe(FakeSource.CLOSED)
  document.dispatchEvent(new Event('visibilitychange'))
  expect(FakeSource.opened).toHaveLength(1)
  live.hold(false)
  expect(FakeSource.opened).toHaveLength(2)
  expect(live.state).toBe('connecting')
})

test('it pauses while the page is hidden', () => {
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
  document.dispatchEvent(new Event('visibilitychange'))
  expect(live.state).toBe('paused')
  expect(source().readyState).toBe(FakeSource.CLOSED)
  hidden.mockReturnValue(false)
  document.dispatchEvent(new Event('visibilitychange'))
  expect(FakeSource.opened).toHaveLength(2)
})
