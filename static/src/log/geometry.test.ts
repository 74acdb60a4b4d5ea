import { describe, expect, test } from 'vitest'
import { anchorOf, boxHeight, drawn, farthest, HIGHEST, kept, ROW, stepFor, topFor } from './geometry'

const height = 600
const few = { total: 1_000, top: 0, height }
const many = { total: 1_000_000, top: 0, height }

/** Where line `index` begins in the window, px below its upper edge. */
function place(index: number, view: typeof few): number {
  const { line, y } = anchorOf(view)
  return y + (index - line) * ROW
}

describe('a log that fits a box', () => {
  test('scrolls as every list does', () => {
    for (const top of [0, 1, 20, 777, 12_345, farthest(few)]) {
      expect(place(0, { ...few, top })).toBeCloseTo(-top)
    }
  })

  test('moves by as much as is asked', () => {
    expect(stepFor(100, ROW, few)).toBeCloseTo(100)
    expect(stepFor(-40, ROW, few)).toBeCloseTo(-40)
  })
})

describe('a log of a million lines', () => {
  test('stays below what browsers can lay out', () => {
    expect(boxHeight(many.total)).toBe(HIGHEST)
    expect(boxHeight(3)).toBe(60)
  })

  test('begins at its first line and ends at its last', () => {
    expect(place(0, many)).toBe(0)
    const end = { ...many, top: farthest(many) }
    expect(place(many.total, end)).toBeCloseTo(height)
  })

  test('draws what fills the window and hardly more, wherever it is', () => {
    for (const share of [0, 0.1, 0.5, 0.999, 1]) {
      const view = { ...many, top: share * farthest(many) }
      const [first, last] = drawn(view)
      expect(last - first).toBeLessThanOrEqual(height / ROW + 6)
      expect(place(first, view)).toBeLessThanOrEqual(0)
      expect(place(last, view)).toBeGreaterThanOrEqual(height)
    }
  })

  test('shows the line that is asked for', () => {
    for (const index of [0, 1, 17, 499_999, 999_998, 999_999]) {
      const view = { ...many, top: topFor(index, many) }
      expect(place(index, view)).toBeGreaterThanOrEqual(-ROW)
      expect(place(index, view)).toBeLessThanOrEqual(height)
      const [first, last] = drawn(view)
      expect(index).toBeGreaterThanOrEqual(first)
      expect(index).toBeLessThan(last)
    }
  })

  test('shows the same line still when its window changes its height', () => {
    const before = { ...many, top: topFor(777_776, many) }
    const after = { ...many, height: 300, top: kept(before, 300) }
    expect(place(777_776, after)).toBeGreaterThanOrEqual(-ROW)
    expect(place(777_776, after)).toBeLessThanOrEqual(300)
  })

  test('moves by a page of lines where a page is asked for, though its box is smaller than its lines', () => {
    const middle = { ...many, top: farthest(many) / 2 }
    const after = { ...middle, top: middle.top + stepFor(580, ROW, middle) }
    expect(place(500_000, middle) - place(500_000, after)).toBeCloseTo(580)
  })
})

test('a log without a line is drawn without one', () => {
  const none = { total: 0, top: 0, height }
  expect(drawn(none)).toEqual([0, 0])
  expect(topFor(0, none)).toBe(0)
  expect(stepFor(100, ROW, none)).toBe(0)
})

test('a window that is not laid out yet asks for few lines', () => {
  const [first, last] = drawn({ total: 1_000_000, top: 0, height: 0 })
  expect(first).toBe(0)
  expect(last).toBeLessThan(10)
})
