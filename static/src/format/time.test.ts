import { describe, expect, test } from 'vitest'
import { duration, exact, relative, span } from './time'

describe('durations', () => {
  test.each([
    [-1, '0 ms'],
    [0.0421, '42 ms'],
    [1, '1 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.6, '1 min'],
    [125, '2 min 5 s'],
    [3600, '1 h'],
    [3605, '1 h'],
    [3725, '1 h 2 min'],
    [90_000, '1 d 1 h'],
  ])('%d seconds read %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text)
  })
})

describe('relative times', () => {
  const now = Date.parse('2026-11-24T12:00:00Z')

  test.each([
    [0.2, 'now'],
    [12, 'in 12 s'],
    [-59, '59 s ago'],
    [-119, '1 min ago'],
    [5400, 'in 1 h 30 min'],
    [-864_000 * 3, '30 d ago'],
  ])('%d seconds away reads %s', (seconds, text) => {
    expect(relative(now + seconds * 1000, now)).toBe(text)
  })
})

test('an exact time names its zone', () => {
  expect(exact('2026-11-24T12:00:00Z', 'UTC')).toBe('24 Nov 2026, 12:00:00 UTC')
  expect(exact('2026-11-24T12:00:00Z', 'Europe/Paris')).toMatch(/13:00:00 (CET|GMT\+1)$/)
})

test('a span needs both its ends', () => {
  expect(span('2026-11-24T12:00:00Z', '2026-11-24T12:00:01.500Z')).toBe(1500)
  expect(span(null, 5)).toBeNull()
  expect(span('2026-11-24T12:00:00Z', null)).toBeNull()
})
