import { expect, test, vi } from 'vitest'
import { paced, pause } from './pace'

test('a slow server is asked less often, and a quick one soon again', async () => {
  vi.useFakeTimers()
  const later = (ms: number) => new Promise((answer) => setTimeout(answer, ms))
  expect(pause()).toBe(1_000)
  const slow = paced('needs', later(2_000))
  const quick = paced('summary', later(20))
  await vi.runAllTimersAsync()
  await Promise.all([slow, quick])
  expect(pause()).toBeGreaterThanOrEqual(20_000)
  const better = paced('needs', later(10))
  await vi.runAllTimersAsync()
  await better
  expect(pause()).toBe(1_000)
  vi.useRealTimers()
})

test('a refusal counts like an answer, and is passed on', async () => {
  await expect(paced('summary', Promise.reject(new Error('no')))).rejects.toThrow('no')
})
