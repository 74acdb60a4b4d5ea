import { describe, expect, test } from 'vitest'
import { marksOf, markWords, nearest, placeOf, rowWords, type Mark, type Scale } from './timeline'

const since = Date.parse('2026-11-24T00:00:00Z')
const hour = 3_600_000
const scale: Scale = { since, until: since + 10 * hour, width: 1000, near: hour / 2 }
const now = since + 5 * hour
const at = (hours: number) => new Date(since + hours * hour).toISOString()
const span = { run_id: 'r', state: 'succeeded' as const, start: at(1), end: at(2), count: 1 }
const due = { start: at(6), count: 1, seconds: 3600, note: null }

describe('a place in the picture', () => {
  test('is linear in time, and never outside', () => {
    expect(placeOf(scale, since + hour)).toBe(100)
    expect(placeOf(scale, since - hour)).toBe(0)
    expect(placeOf(scale, since + 20 * hour)).toBe(1000)
  })
})

describe('the marks of a row', () => {
  const marks = (past: object[], ahead: object[] = []) =>
    marksOf({ past: past.map((one) => ({ ...span, ...one })), ahead: ahead.map((one) => ({ ...due, ...one })) }, scale, now)

  test('are as wide as their runs took', () => {
    expect(marks([{}])[0]).toMatchObject({ x: 100, width: 100, run: 'r', count: 1 })
  })

  test('are never too narrow to be seen, at the edge of the picture neither', () => {
    expect(marks([{ end: at(1) }])[0]).toMatchObject({ x: 100, width: 4 })
    expect(marks([{ start: at(10), end: at(10) }])[0]).toMatchObject({ x: 996, width: 4 })
  })

  test('reach to now where the run goes on', () => {
    expect(marks([{ start: at(4), end: null, state: 'running' }])[0]).toMatchObject({ x: 400, width: 100, end: null })
  })

  test('of what began before the window begin at its edge', () => {
    expect(marks([{ start: at(-5), end: at(1) }])[0]).toMatchObject({ x: 0, width: 100 })
  })

  test('of fire times to come are as wide as they are likely to take', () => {
    expect(marks([], [{}])[0]).toMatchObject({ state: 'ahead', x: 600, width: 100, run: null })
    expect(marks([], [{ seconds: null }])[0]).toMatchObject({ width: 4 })
  })

  test('of fire times drawn as one reach to the next, and no further than what was gathered', () => {
    const [first, second] = marks([], [{ count: 3, seconds: 1 }, { start: at(6.2), count: 3, seconds: 1 }])
    expect(first).toMatchObject({ x: 600, count: 3 })
    expect(first?.width).toBeCloseTo(20)
    expect(second?.width).toBeCloseTo(50)
  })

  test('come in the order of time', () => {
    expect(marks([{ start: at(3), end: at(4) }, { start: at(1), end: at(2) }], [{}]).map(({ x }) => x)).toEqual([100, 300, 600])
  })
})

describe('the mark that is meant', () => {
  const marks = [0, 50, 52].map((x) => ({ x, width: 4 }) as Mark)

  test('is the one under the pointer, or the closest', () => {
    expect(nearest(marks, 2)).toBe(0)
    expect(nearest(marks, 10)).toBe(0)
    expect(nearest(marks, 45)).toBe(1)
  })

  test('is the upper one of two', () => {
    expect(nearest(marks, 53)).toBe(2)
  })

  test('is none where all are far', () => {
    expect(nearest(marks, 25)).toBe(-1)
    expect(nearest([], 1)).toBe(-1)
  })
})

describe('in words', () => {
  const mark: Mark = {
    ...{ state: 'succeeded', x: 0, width: 4, count: 1, run: 'r' },
    ...{ start: since, end: since + 2_500, seconds: null, note: null },
  }

  test('a run says how it ended, when it began, and what it took', () => {
    expect(markWords(mark)).toMatch(/^succeeded, 24 Nov 2026, .*, took 2.5 s$/)
  })

  test('many say how many', () => {
    expect(markWords({ ...mark, count: 1440 })).toMatch(/^1,440 runs succeeded, .* to /)
    expect(markWords({ ...mark, state: 'missed', count: 3 })).toMatch(/^3 fire times missed/)
  })

  test('a fire time says what it is likely to take, and of a clock change', () => {
    const note = 'the clock is set back'
    expect(markWords({ ...mark, state: 'ahead', run: null, end: null, seconds: 90, note })).toMatch(
      /^due 24 Nov .*, likely to take 1 min 30 s; the clock is set back$/,
    )
  })

  test('a row counts its marks by what became of them', () => {
    expect(rowWords([mark, { ...mark, count: 1_200 }, { ...mark, state: 'ahead', count: 3 }])).toBe('1,201 succeeded, 3 to come')
    expect(rowWords([])).toBe('no run')
  })
})
