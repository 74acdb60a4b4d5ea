import { expect, test } from 'vitest'
import type { Instance, Lease, Status } from '../api/wire'
import { leaderOf } from './leader'

const lease = { holder: 'h1', instance: 'i1', token: 3, acquired_at: null, renewed_at: null, expires_at: null, live: true } satisfies Lease
const status = (over: Partial<Status>) => ({ lease, instance: 'i1', ...over }) as Status
const instances = [{ id: 'i1', host: 'alpha' }] as Instance[]

test('the instance that answers leads', () => {
  expect(leaderOf(status({}), instances)).toEqual({ none: false, here: true, host: 'alpha' })
})

test('another one leads, and is named', () => {
  expect(leaderOf(status({ instance: null }), instances)).toEqual({ none: false, here: false, host: 'alpha' })
  expect(leaderOf(status({ instance: 'i2' }), [])).toEqual({ none: false, here: false, host: null })
})

test('nobody leads where the lease is free, expired, or was never taken', () => {
  const nobody = { none: true, here: false, host: null }
  expect(leaderOf(status({ lease: null }), instances)).toEqual(nobody)
  expect(leaderOf(status({ lease: { ...lease, live: false } }), instances)).toEqual(nobody)
  expect(leaderOf(status({ lease: { ...lease, holder: null } }), instances)).toEqual(nobody)
})
