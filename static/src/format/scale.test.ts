import { expect, test } from 'vitest'
import { compact, roundTop } from './scale'

test.each([
  [0, 1],
  [1, 1],
  [3, 5],
  [10, 10],
  [11, 20],
  [999, 1000],
  [4_200_000, 5_000_000],
])('the axis for %d ends at %d', (value, top) => {
  expect(roundTop(value)).toBe(top)
})

test('an axis says thousands and millions shortly', () => {
  expect([0, 500, 12_345, 5_000_000].map(compact)).toEqual(['0', '500', '12K', '5M'])
})
