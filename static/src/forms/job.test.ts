import { describe, expect, test } from 'vitest'
import { sampleJob } from '../api/samples'
import type { Stream } from '../api/wire'
import { changed, documentOf, guardOf, same, suggested } from './job'

const found: Stream = {
  name: 'orders',
  columns: [{ name: 'id', type: 'integer', nullable: false }],
  key: ['id'],
  cursor: 'updated_at',
  rows: 10,
}

test('a saved job’s document has what a person said, and no defaults', () => {
  const stream = { name: 'orders', mode: 'full', write: 'replace', target: null, cursor: null, key: [], lookback: null, columns: null }
  const rest = { exclude: [], rename: {}, hash: [], metadata: [] }
  const schedule = { cron: null, every: '15m', timezone: 'UTC', jitter: null }
  const job = sampleJob({ streams: [{ ...stream, ...rest } as never], schedule, guards: { max_delete: false, max_shrink: '20%' } })
  expect(documentOf(job)).toEqual({
    source: 'shop',
    destination: 'lake',
    streams: [{ name: 'orders', mode: 'full', write: 'replace' }],
    schedule: { every: '15m' },
    guards: { max_delete: false, max_shrink: '20%' },
  })
})

test('documents are the same in whatever order their fields come', () => {
  expect(same({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 })).toBe(true)
  expect(same({ a: [1, 2] }, { a: [2, 1] })).toBe(false)
})

describe('a stream', () => {
  test('with a cursor and a key is read by what changed', () => {
    expect(suggested(found)).toEqual({ name: 'orders', mode: 'incremental', cursor: 'updated_at', key: ['id'], write: 'upsert' })
  })

  test('without them is read whole and swapped in', () => {
    expect(suggested({ ...found, cursor: null })).toEqual({ name: 'orders', mode: 'full', write: 'replace' })
  })

  test('read whole has no cursor, and written by replace no key', () => {
    expect(changed({ ...suggested(found), lookback: '1h' }, { mode: 'full', write: 'replace' }, found)).toEqual({
      name: 'orders',
      mode: 'full',
      write: 'replace',
    })
  })

  test('that becomes incremental gets the write, cursor and key that this needs', () => {
    expect(changed({ name: 'orders', write: 'mirror' }, { mode: 'incremental' }, found)).toEqual(suggested(found))
  })
})

test('a guard is what is said, what is left out, or off', () => {
  expect(guardOf({}, 'max_delete')).toBe('20%')
  expect(guardOf({ guards: { max_delete: '5%' } }, 'max_delete')).toBe('5%')
  expect(guardOf({ guards: { max_delete: '5%' } }, 'max_shrink')).toBe('20%')
  expect(guardOf({ guards: false }, 'max_shrink')).toBeNull()
})
