import { describe, expect, test } from 'vitest'
import { changes, toggled } from './selection'

const ids = ['a', 'b', 'c', 'd', 'e']

describe('a row that is chosen', () => {
  test('joins the others, in the order of the list', () => {
    expect(toggled(['d'], ids, 'b', true, null)).toEqual(['b', 'd'])
    expect(toggled(['b', 'd'], ids, 'b', false, null)).toEqual(['d'])
  })

  test('with shift brings all from the last one on, up or down', () => {
    expect(toggled(['b'], ids, 'd', true, 'b')).toEqual(['b', 'c', 'd'])
    expect(toggled(['d'], ids, 'b', true, 'd')).toEqual(['b', 'c', 'd'])
    expect(toggled(['a', 'b', 'c', 'd'], ids, 'b', false, 'd')).toEqual(['a'])
  })

  test('with shift is alone where the last one is gone from the list', () => {
    expect(toggled([], ids, 'd', true, 'gone')).toEqual(['d'])
  })
})

test('what changed is counted: other, come, gone', () => {
  const count = (before: string[], after: string[]) =>
    changes(
      before,
      after,
      (one) => one.slice(0, 1),
      (one) => one,
    )
  expect(count(['a1', 'b1'], ['a1', 'b1'])).toBe(0)
  expect(count(['a1', 'b1', 'c1'], ['a2', 'b1', 'd1'])).toBe(3)
})
