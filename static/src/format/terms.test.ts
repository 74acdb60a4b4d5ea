import { describe, expect, test } from 'vitest'
import { sampleInstance } from '../api/samples'
import type { Lease, Term } from '../api/wire'
import { howWords, roleOf, toldTerms } from './terms'

const at = (seconds: number) => new Date(Date.parse('2026-11-24T12:00:00Z') + seconds * 1000).toISOString()
const term = (id: number, from: number, until: number | null, how: string | null): Term => ({
  ...{ id, holder: `h${id}`, instance: `i${id}`, host: 'a', pid: id },
  ...{ gained_at: at(from), ended_at: until === null ? null : at(until), how },
})

test('terms tell how long they lasted, and how long nobody led before them', () => {
  const told = toldTerms([term(3, 75, null, null), term(2, 60, 70, 'expired'), term(1, 0, 60, 'released')], Date.parse(at(100)))
  expect(told.map(({ term: { id }, lasted, gap }) => [id, lasted / 1000, gap === null ? null : gap / 1000])).toEqual([
    [3, 25, 5],
    [2, 10, 0],
    [1, 60, null],
  ])
})

test('an ending is explained, one that we do not know is not', () => {
  expect(howWords('expired')).toMatch(/^It vanished/)
  expect(howWords('stolen')).toBeNull()
  expect(howWords(null)).toBeNull()
})

describe('an instance', () => {
  const lease: Lease = {
    ...{ holder: 'h', instance: 'i1', token: 3, acquired_at: at(0), renewed_at: at(9), expires_at: at(24) },
    live: true,
  }

  test('leads where it holds a live lease', () => {
    expect(roleOf(sampleInstance(), lease)).toBe('leads')
    expect(roleOf(sampleInstance({ live: false }), lease)).toBe('silent')
    expect(roleOf(sampleInstance(), { ...lease, live: false })).toBe('stands by')
    expect(roleOf(sampleInstance(), null)).toBe('stands by')
  })

  test('drains until its last run has ended', () => {
    expect(roleOf(sampleInstance({ draining: true, active_runs: ['a'] }), null)).toBe('drains')
    expect(roleOf(sampleInstance({ draining: true }), null)).toBe('drained')
    expect(roleOf(sampleInstance({ draining: true }), lease)).toBe('drains')
  })

  test('without a slot takes no runs', () => {
    expect(roleOf(sampleInstance({ slots: 0 }), null)).toBe('takes no runs')
  })
})
