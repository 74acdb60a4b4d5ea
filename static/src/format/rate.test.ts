import { expect, test } from 'vitest'
import { sampleProgress } from '../api/samples'
import { compared, mean, rate, sampled, type Sample } from './rate'

function fed(...values: [at: number, value: number][]): Sample[] {
  return values.reduce<Sample[]>((samples, [at, value]) => sampled(samples, at, value), [])
}

test('one sample tells nothing', () => {
  expect(rate(fed())).toBeNull()
  expect(rate(fed([0, 10]))).toBeNull()
})

test('the rate is growth over time', () => {
  expect(rate(fed([0, 0], [1000, 200], [2000, 400]))).toBe(200)
})

test('what is older than the window is forgotten', () => {
  expect(rate(fed([0, 0], [60_000, 6000], [61_000, 6000], [70_000, 6000]))).toBe(0)
})

test('a count that falls (a new attempt) starts anew', () => {
  expect(fed([0, 500], [1000, 900], [2000, 10])).toEqual([{ at: 2000, value: 10 }])
})

test('two values of one instant count once', () => {
  expect(fed([0, 1], [0, 2])).toHaveLength(1)
})

test('the mean is over the time that the stream spent', () => {
  const spent = { source: 1, transform: 0.5, destination: 2, checkpoint: 0.5 }
  expect(mean(sampleProgress({ written: 400, spent }))).toBe(100)
  expect(mean(sampleProgress({ written: 400 }))).toBeNull()
})

test('rows are compared with the usual only where that says something', () => {
  expect(compared(450, 1_000, true)).toBe('45% of the usual 1,000')
  expect(compared(1_200, 1_000, true)).toBe('more than the usual 1,000')
  expect(compared(1_200, 1_000, false)).toBeNull()
  expect(compared(3_400, 1_000, false)).toBe('3.4 times the usual 1,000')
  expect(compared(400, 1_000, false)).toBe('usually 1,000')
  expect(compared(5, 0, true)).toBeNull()
})
