import { describe, expect, test } from 'vitest'
import { sampleJob, sampleRun } from '../api/samples'
import { healthSentence, needs, standing } from './health'

const now = Date.parse('2026-11-24T12:00:48Z')
const here = { none: false, here: true, host: null }
const well = sampleJob({ id: 'a', last_run: sampleRun() })

describe('the health sentence', () => {
  test('says that all is well', () => {
    const jobs = [well, { ...well, id: 'b' }, { ...well, id: 'c' }]
    expect(healthSentence(jobs, here, now)).toBe('3 jobs, all in step; next run in 12 s; this instance leads.')
  })

  test('says that there is nothing yet', () => {
    expect(healthSentence([], here, now)).toBe('No jobs yet; this instance leads.')
  })

  test('says that jobs wait for their first run', () => {
    const fresh = sampleJob()
    expect(healthSentence([fresh], here, now)).toMatch(/^1 job, not yet run; next run in 12 s;/)
    expect(healthSentence([fresh, { ...fresh, id: 'b' }], here, now)).toMatch(/^2 jobs, none has run yet;/)
  })

  test('counts what is not well, gravest first', () => {
    const failed = sampleJob({ id: 'b', last_run: sampleRun({ state: 'failed' }) })
    const off = sampleJob({ id: 'c', enabled: false, next_fire_time: null })
    expect(healthSentence([off, well, failed], here, now)).toContain('3 jobs, 1 in step, 1 failed, 1 off;')
  })

  test('speaks of one job in the singular', () => {
    expect(healthSentence([well], here, now)).toMatch(/^1 job, in step;/)
    expect(healthSentence([sampleJob({ last_run: sampleRun({ state: 'failed' }) })], here, now)).toMatch(/^1 job, failed;/)
  })

  test('counts a running job as in step', () => {
    const running = sampleJob({ last_run: sampleRun({ state: 'running', finished_at: null }) })
    expect(healthSentence([well, running], here, now)).toMatch(/^2 jobs, all in step, 1 running;/)
  })

  test('tells what may heal by itself from what needs a person', () => {
    const error = { type: 'SourceUnavailable', message: 'The source does not answer.', stream: null }
    const retrying = sampleJob({ last_run: sampleRun({ state: 'queued', error, finished_at: null }) })
    expect(healthSentence([well, retrying], here, now)).toMatch(/^2 jobs, 1 in step, 1 retrying;/)
    expect(needs([retrying], now)).toEqual([])
  })

  test('says that nobody leads', () => {
    expect(healthSentence([well], { none: true, here: false, host: null }, now)).toContain('nobody leads')
  })
})

describe('how a job stands', () => {
  test('it is late a minute after a fire time that nobody took', () => {
    expect(standing(well, Date.parse('2026-11-24T12:02:00Z'))).toBe('in step')
    expect(standing(well, Date.parse('2026-11-24T12:02:01Z'))).toBe('late')
  })

  test('a job that is off is not late, and its old failure is nobody’s business', () => {
    const off = sampleJob({ enabled: false, last_run: sampleRun({ state: 'failed' }) })
    expect(standing(off, Date.parse('2027-01-01T00:00:00Z'))).toBe('off')
  })

  test('a held run waits for a person even where its job is off', () => {
    expect(standing(sampleJob({ enabled: false, last_run: sampleRun({ state: 'held' }) }), now)).toBe('held')
  })
})

test('what needs a person comes held first, then failed, then late', () => {
  const failed = sampleJob({ id: 'f', last_run: sampleRun({ state: 'failed' }) })
  const held = sampleJob({ id: 'h', last_run: sampleRun({ state: 'held' }) })
  const late = sampleJob({ id: 'l', next_fire_time: '2026-11-24T11:00:00Z' })
  expect(needs([late, well, failed, held], now).map(({ job, why }) => `${job.id} ${why}`)).toEqual(['h held', 'f failed', 'l late'])
})
