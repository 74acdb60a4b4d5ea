import { expect, test } from 'vitest'
import type { TimelineRow } from '../api/wire'
import { meetings } from './overlap'

const row = (job_id: string, starts: string[], seconds: number | null): TimelineRow => ({
  job_id,
  enabled: true,
  source: 'shop',
  destination: 'lake',
  past: [],
  ahead: starts.map((start) => ({ start, count: 1, seconds, note: null })),
  typical_seconds: seconds,
})

test('a job meets ours where their runs are likely to be at the same time', () => {
  const rows = [
    row('long', ['2026-11-24T11:50:00Z'], 900),
    row('brief', ['2026-11-24T12:30:00Z'], 10),
    row('same', ['2026-11-24T12:00:00Z', '2026-11-24T13:00:00Z'], null),
    row('ours', ['2026-11-24T12:00:00Z'], 5),
  ]
  const found = meetings(['2026-11-24T12:00:00Z', '2026-11-24T13:00:00Z'], rows, 5, 'ours')
  expect(found).toEqual([
    { job_id: 'same', times: 2, seconds: null },
    { job_id: 'long', times: 1, seconds: 900 },
  ])
})
