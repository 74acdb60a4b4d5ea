import { describe, expect, test } from 'vitest'
import { sampleRun } from '../api/samples'
import type { Attempt } from '../api/wire'
import { goesOn, lateness, outcomeOf, shares, stepsOf } from './steps'

const at = (seconds: number) => new Date(Date.parse('2026-11-24T12:00:00Z') + seconds * 1000).toISOString()
const attempt = (token: number, from: number, until: number, over: Partial<Attempt> = {}): Attempt => ({
  attempt: token,
  instance: `i${token}`,
  token,
  started_at: at(from),
  ended_at: at(until),
  outcome: 'succeeded',
  error: null,
  ...over,
})
const error = { type: 'SourceUnavailable', message: 'No answer.', stream: null }

function told(run: Parameters<typeof stepsOf>[0]): string[] {
  return stepsOf(run).map(({ title, gap }) => (gap ? `${gap.kind} ${gap.ms / 1000} s, ${title}` : title))
}

describe('the steps of a run', () => {
  test('lead from its fire time to its end', () => {
    const run = sampleRun({ fire_time: at(0), queued_at: at(1), finished_at: at(7), attempts: [attempt(1, 3, 7)] })
    expect(told(run)).toEqual(['Due', 'waited 1 s, Queued', 'waited 2 s, Claimed', 'worked 4 s, Succeeded'])
    expect(lateness(run)).toBe(1000)
  })

  test('tell each attempt, and the pause before the next', () => {
    const attempts = [attempt(1, 1, 2, { outcome: 'failed', error }), attempt(2, 12, 15)]
    const run = sampleRun({ fire_time: null, queued_at: at(0), finished_at: at(15), attempts })
    expect(told(run)).toEqual([
      'Queued',
      'waited 1 s, Claimed',
      'worked 1 s, Attempt failed',
      'paused 10 s, Claimed',
      'worked 3 s, Succeeded',
    ])
    expect(shares(run, stepsOf(run), 0)).toEqual({ waited: 1_000, paused: 10_000, worked: 4_000, held: 0 })
    expect(lateness(run)).toBeNull()
  })

  test('tell the takeover of a run whose instance died, and that it works again', () => {
    const lost = attempt(1, 1, 31, { outcome: 'lost', error: { ...error, type: 'LostClaim' } })
    const run = sampleRun({
      ...{ state: 'running', fire_time: null, queued_at: at(0), finished_at: null, attempt: 2, attempts: [lost] },
      ...{ attempt_started_at: at(32), claim: { instance: 'i2', token: 2, expires_at: null } },
    })
    const steps = stepsOf(run)
    expect(steps.map(({ title, instance }) => [title, instance])).toEqual([
      ['Queued', null],
      ['Claimed', 'i1'],
      ['Lost and rescued', null],
      ['Claimed', 'i2'],
    ])
    expect(goesOn(run, steps, Date.parse(at(40)))).toEqual({ kind: 'worked', ms: 8_000 })
  })

  test('tell that a person thought about it', () => {
    const attempts = [attempt(1, 1, 2, { outcome: 'held' }), attempt(2, 63, 65)]
    const approved = { at: at(62), by: 'admin' }
    const run = sampleRun({ fire_time: null, queued_at: at(0), finished_at: at(65), attempts, approved })
    expect(told(run)).toEqual([
      'Queued',
      'waited 1 s, Claimed',
      'worked 1 s, Held',
      'held 60 s, Approved',
      'waited 1 s, Claimed',
      'worked 2 s, Succeeded',
    ])
  })

  test('tell when a cancel was asked for, while the work goes on', () => {
    const attempts = [attempt(1, 1, 5, { outcome: 'cancelled' })]
    const cancel = { at: at(4), by: 'admin' }
    const run = sampleRun({ state: 'cancelled', fire_time: null, queued_at: at(0), finished_at: at(5), attempts, cancel })
    expect(told(run)).toEqual(['Queued', 'waited 1 s, Claimed', 'worked 3 s, Cancel asked', 'worked 1 s, Cancelled'])
  })

  test('end where nobody ran it', () => {
    const run = sampleRun({ state: 'missed', fire_time: at(0), queued_at: at(90), finished_at: at(90), reason: 'nobody led' })
    expect(stepsOf(run).map(({ title, detail }) => [title, detail])).toEqual([
      ['Due', null],
      ['Missed', 'nobody led'],
    ])
    const discarded = sampleRun({ state: 'cancelled', queued_at: at(0), fire_time: null, finished_at: at(9), reason: 'discarded by admin' })
    expect(told({ ...discarded, attempts: [attempt(1, 1, 2, { outcome: 'held' })] })).toEqual([
      'Queued',
      'waited 1 s, Claimed',
      'worked 1 s, Held',
      'held 7 s, Cancelled',
    ])
  })
})

test('an ending that we do not know is told by its own word', () => {
  expect(outcomeOf('evicted')).toEqual({ title: 'Evicted', means: null })
  expect(outcomeOf('lost').means).toContain('token')
})
