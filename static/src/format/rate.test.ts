import { expect, test } from 'vitest'
import { rate, sampled, type Sample } from './rate'

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
