import { describe, expect, test } from 'vitest'
import { CHUNK, isAll, partsOf, partWith, placeOf, readOn } from './log'
import type { LogLine, LogMarks } from './wire'

const line = (n: number): LogLine => ({ n, at: '2026-11-24T12:00:00Z', level: 'info', message: `${n}`, stream: null, attempt: 1 })

describe('marks of a growing log', () => {
  const known: LogMarks = { count: 450, marks: [1, 201, 401], lines: 450 }

  test('are read on from the last one, which may have been short', () => {
    const fresh: LogMarks = { count: 260, marks: [401, 601], lines: 660 }
    expect(readOn(known, fresh)).toEqual({ count: 660, marks: [1, 201, 401, 601], lines: 660 })
  })

  test('stay as they are where nothing came', () => {
    expect(readOn(known, { count: 50, marks: [401], lines: 450 })).toEqual(known)
  })

  test('begin with the first answer', () => {
    expect(readOn(undefined, known)).toEqual(known)
    const none = { count: 0, marks: [], lines: 0 }
    expect(readOn(none, known)).toEqual(known)
  })
})

test('the parts of a window are those that hold its lines, and no more than there are', () => {
  expect(partsOf(0, 40, 5)).toEqual([0])
  expect(partsOf(190, 230, 5)).toEqual([0, 1])
  expect(partsOf(990, 1_200, 5)).toEqual([4])
  expect(partsOf(0, 0, 0)).toEqual([])
})

describe('the place of a line', () => {
  // Every tenth line is sought: 10, 20, …, 5000.
  const marks: LogMarks = { count: 500, marks: [10, 2_010, 4_010], lines: 5_000 }
  const part = (index: number) => Array.from({ length: CHUNK }, (_, at) => line(10 + (index * CHUNK + at) * 10))
  const lines = new Map([[1, part(1)]])

  test('is found in its part', () => {
    expect(partWith(2_500, marks)).toBe(1)
    expect(placeOf(2_500, marks, lines)).toBe(249)
    expect(placeOf(2_010, marks, lines)).toBe(200)
  })

  test('is that of the next one where the line itself is not sought', () => {
    expect(placeOf(2_501, marks, lines)).toBe(250)
    expect(placeOf(4_005, marks, lines)).toBe(399 + 1)
  })

  test('is not known before the part is here', () => {
    expect(placeOf(20, marks, lines)).toBeNull()
    expect(partWith(1, marks)).toBe(0)
    expect(partWith(9_999, marks)).toBe(2)
  })
})

test('everything is sought where nothing is left out', () => {
  expect(isAll({ level: 'debug', q: '', attempt: null })).toBe(true)
  expect(isAll({ level: 'info', q: '', attempt: null })).toBe(false)
  expect(isAll({ level: 'debug', q: '', attempt: 2 })).toBe(false)
})
