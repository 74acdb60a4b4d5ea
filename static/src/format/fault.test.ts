import { describe, expect, test } from 'vitest'
import { faultOf } from './fault'

const of = (type: string, state: 'failed' | 'queued' | 'running' = 'failed', message = 'No.') =>
  faultOf({ state, error: { type, message, stream: 'orders' } })

describe('a fault', () => {
  test('is none without an error', () => {
    expect(faultOf({ state: 'failed', error: null })).toBeNull()
  })

  test('that may heal is told apart from one that needs a person', () => {
    expect(of('SourceUnavailable', 'queued')?.kind).toBe('retrying')
    expect(of('SourceUnavailable', 'running')?.kind).toBe('retrying')
    expect(of('SourceUnavailable')).toMatchObject({ kind: 'away', place: 'source' })
    expect(of('TimedOut')).toMatchObject({ kind: 'away', place: 'job', field: 'timeout' })
  })

  test('of the job leads to the setting that it names', () => {
    expect(of('BadInput', 'failed', 'cursor: is "updated"; orders has id, at')).toMatchObject({ kind: 'change', place: 'job', field: 'cursor' })
    expect(of('StreamNotFound')).toMatchObject({ kind: 'change', place: 'job', field: 'orders' })
  })

  test('of the data leads to the end that has it', () => {
    expect(of('BadData')).toMatchObject({ kind: 'change', place: 'source' })
    expect(of('BadValue')).toMatchObject({ kind: 'change', place: 'destination' })
    expect(of('MissingExtra')).toMatchObject({ kind: 'change', place: null })
  })

  test('that nobody foresaw is one of syncworker', () => {
    for (const type of ['LostClaim', 'ProcessDied', 'StoreUnavailable', 'KeyError']) expect(of(type)?.kind).toBe('platform')
  })

  test('of a verification leads to the mending', () => {
    expect(of('Differs')).toMatchObject({ kind: 'differs' })
  })
})
