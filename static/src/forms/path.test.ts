import { describe, expect, test } from 'vitest'
import { get, put } from './path'

const job = { source: 'shop', streams: [{ name: 'orders', key: ['id'] }, { name: 'items' }] }

test('a place is found as the server spells it', () => {
  expect(get(job, 'streams[0].key[0]')).toBe('id')
  expect(get(job, 'streams[7].key')).toBeUndefined()
  expect(get(job, 'source.deeper')).toBeUndefined()
})

describe('what is put', () => {
  test('changes nothing of the document before', () => {
    const after = put(job, 'streams[1].target', 'lines')
    expect(after.streams[1]).toEqual({ name: 'items', target: 'lines' })
    expect(job.streams[1]).toEqual({ name: 'items' })
    expect(after.streams[0]).toBe(job.streams[0])
  })

  test('makes the mappings that it needs', () => {
    expect(put({}, 'schedule.cron', '* * * * *')).toEqual({ schedule: { cron: '* * * * *' } })
  })

  test('as nothing is taken out, with the mapping that it leaves empty', () => {
    expect(put({ retry: { attempts: 5 }, source: 'a' }, 'retry.attempts', undefined)).toEqual({ source: 'a' })
    expect(put(job, 'streams[0]', undefined).streams).toEqual([{ name: 'items' }])
  })
})
