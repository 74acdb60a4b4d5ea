import { describe, expect, test } from 'vitest'
import { idFor, missing, neighbour, reachable, stepOf, stepOfFault } from './steps'

const stream = { name: 'orders', mode: 'incremental', cursor: 'updated_at', key: ['id'], write: 'upsert' }
const draft = { source: 'shop', destination: 'lake', streams: [stream], schedule: { every: '15m' } }

test('an address names a step; any other word the first', () => {
  expect(stepOf('write')).toBe('write')
  expect(stepOf('elsewhere')).toBe('source')
  expect(neighbour('source', -1)).toBeNull()
  expect(neighbour('source', 1)).toBe('destination')
})

describe('a step', () => {
  test('says what it lacks', () => {
    expect(missing('streams', { streams: [] })).toEqual(['Choose at least one stream.'])
    const bare = { name: 'orders', mode: 'incremental', write: 'upsert' }
    expect(missing('write', { streams: [bare] })).toHaveLength(2)
    expect(missing('write', draft)).toEqual([])
    expect(missing('schedule', { schedule: { timezone: 'Europe/Paris' } })).toHaveLength(1)
    expect(missing('schedule', {})).toEqual([])
  })

  test('is not reached past one that is not ready', () => {
    expect(reachable('review', draft)).toBe('review')
    expect(reachable('review', { ...draft, streams: [] })).toBe('streams')
    expect(reachable('source', {})).toBe('source')
  })
})

test.each([
  ['source', 'source'],
  ['streams', 'streams'],
  ['streams[2].name', 'streams'],
  ['streams[0].cursor', 'write'],
  ['streams[0]', 'write'],
  ['schedule.cron', 'schedule'],
  ['guards.max_delete', 'safety'],
  ['retry.backoff', 'safety'],
  ['id', 'review'],
  ['', 'review'],
])('a fault at %s is shown in the step %s', (field, step) => {
  expect(stepOfFault({ field, message: 'is wrong' })).toBe(step)
})

test('a name is made of the one stream, or of both ends, and is not taken', () => {
  expect(idFor(draft, new Set())).toBe('orders')
  expect(idFor({ ...draft, streams: [{ name: 'Sales.Order Lines' }] }, new Set())).toBe('sales-order-lines')
  expect(idFor({ ...draft, streams: [stream, { name: 'items' }] }, new Set(['shop-to-lake']))).toBe('shop-to-lake-2')
  expect(idFor({ ...draft, streams: [{ name: 'new' }] }, new Set())).toBe('new-2')
})
