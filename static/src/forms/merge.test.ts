import { describe, expect, test } from 'vitest'
import { changes, clash, together } from './merge'

const base = { source: 'shop', schedule: { every: '15m' }, streams: [{ name: 'orders', write: 'upsert' }] }

test('changes are told at the smallest place', () => {
  const after = { source: 'shop', schedule: { every: '5m' }, streams: [{ name: 'orders', write: 'append' }], timeout: '1h' }
  expect(changes(base, after)).toEqual([
    { path: 'schedule.every', before: '15m', after: '5m' },
    { path: 'streams[0].write', before: 'upsert', after: 'append' },
    { path: 'timeout', before: undefined, after: '1h' },
  ])
})

describe('two people at one job', () => {
  const theirs = { ...base, schedule: { every: '5m' } }

  test('keep both what they changed where it is not the same', () => {
    const mine = { ...base, timeout: '1h' }
    expect(clash(base, mine, theirs).both.size).toBe(0)
    expect(together(base, mine, theirs)).toEqual({ ...theirs, timeout: '1h' })
  })

  test('are told where they both changed the same; mine stands', () => {
    const mine = { ...base, schedule: { cron: '* * * * *' } }
    expect([...clash(base, mine, theirs).both]).toEqual(['schedule.every'])
    expect(together(base, mine, theirs)).toEqual({ ...base, schedule: { cron: '* * * * *' } })
  })

  test('who changed the same to the same are at one', () => {
    expect(clash(base, theirs, theirs).both.size).toBe(0)
  })
})
