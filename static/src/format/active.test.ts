import { expect, test } from 'vitest'
import { sampleRun } from '../api/samples'
import { activeAt } from './active'

const long = sampleRun({ id: 'long', queued_at: '2026-11-24T12:00:00Z', finished_at: '2026-11-24T12:05:00Z' })
const skipped = sampleRun({ id: 'skipped', state: 'skipped', queued_at: '2026-11-24T12:01:00Z', finished_at: null })

test('the run that kept a fire time from running is the one that was active then', () => {
  expect(activeAt([skipped, long], '2026-11-24T12:01:00Z')?.id).toBe('long')
  expect(activeAt([skipped, long], '2026-11-24T12:06:00Z')).toBeUndefined()
  expect(activeAt([{ ...long, finished_at: null }], '2026-11-24T12:06:00Z')?.id).toBe('long')
})
