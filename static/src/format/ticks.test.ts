import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ticksOf } from './ticks'

const hour = 3_600_000
const zone = process.env.TZ

beforeEach(() => {
  process.env.TZ = 'Europe/Berlin'
})

afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

describe('the ticks of a time axis', () => {
  test('stand on whole hours of the viewer’s zone, days by name', () => {
    const since = Date.parse('2026-11-24T20:30:00Z') // 21:30 in Berlin
    expect(ticksOf(since, since + 8 * hour, 640).map(({ label }) => label)).toEqual(['22:00', '23:00', 'Wed 25', '01:00', '02:00', '03:00', '04:00', '05:00'])
  })

  test('are further apart where the axis is narrow', () => {
    const since = Date.parse('2026-11-24T20:30:00Z')
    expect(ticksOf(since, since + 8 * hour, 220).map(({ label }) => label)).toEqual(['Wed 25', '03:00'])
  })

  test('of days follow a clock that is set back: each is a midnight', () => {
    const since = Date.parse('2026-10-23T22:00:00Z')
    const ticks = ticksOf(since, since + 5 * 24 * hour, 600)
    expect(ticks.map(({ label }) => label)).toEqual(['Sat 24', 'Sun 25', 'Mon 26', 'Tue 27', 'Wed 28'])
    expect((ticks[2]?.at ?? 0) - (ticks[1]?.at ?? 0)).toBe(25 * hour)
  })

  test('of hours skip one that the clock skips', () => {
    const since = Date.parse('2026-03-29T00:00:00Z') // 01:00, and 02:00 does not come
    expect(ticksOf(since, since + 3 * hour, 400).map(({ label }) => label)).toEqual(['01:00', '03:00', '04:00'])
  })

  test('are many minutes apart, or a few days', () => {
    const since = Date.parse('2026-11-24T12:00:00Z')
    expect(ticksOf(since, since + hour, 800).map(({ label }) => label).slice(0, 2)).toEqual(['13:00', '13:10'])
    expect(ticksOf(since, since + 60 * 24 * hour, 400).length).toBeLessThanOrEqual(6)
  })
})
