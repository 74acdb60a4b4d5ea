import { describe, expect, test } from 'vitest'
import type { Standing, Summary } from '../api/wire'
import { healthSentence } from './health'

const now = Date.parse('2026-11-24T12:00:48Z')
const here = { none: false, here: true, host: null }

function summary(standings: Partial<Record<Standing, number>>): Summary {
  const jobs = Object.values(standings).reduce((sum, amount) => sum + amount, 0)
  return { jobs, standings, next_fire_time: '2026-11-24T12:01:00Z', next_job: 'orders' }
}

describe('the health sentence', () => {
  test('says that all is well', () => {
    expect(healthSentence(summary({ in_step: 3 }), here, now)).toBe('3 jobs, all in step; next run in 12 s; this instance leads.')
  })

  test('says that there is nothing yet', () => {
    expect(healthSentence(summary({}), here, now)).toBe('No jobs yet; this instance leads.')
  })

  test('says that jobs wait for their first run', () => {
    expect(healthSentence(summary({ new: 1 }), here, now)).toMatch(/^1 job, not yet run; next run in 12 s;/)
    expect(healthSentence(summary({ new: 2 }), here, now)).toMatch(/^2 jobs, none has run yet;/)
  })

  test('counts what is not well, with thousands marks', () => {
    expect(healthSentence(summary({ in_step: 8_123, failed: 1_200, paused: 1 }), here, now)).toContain(
      '9,324 jobs, 8,123 in step, 1,200 failed, 1 paused;',
    )
  })

  test('speaks of one job in the singular, and of all where all stand alike', () => {
    expect(healthSentence(summary({ in_step: 1 }), here, now)).toMatch(/^1 job, in step;/)
    expect(healthSentence(summary({ failed: 1 }), here, now)).toMatch(/^1 job, failed;/)
    expect(healthSentence(summary({ failed: 2 }), here, now)).toMatch(/^2 jobs, all failed;/)
  })

  test('counts a running job as in step', () => {
    expect(healthSentence(summary({ in_step: 1, running: 1 }), here, now)).toMatch(/^2 jobs, all in step, 1 running;/)
  })

  test('says that a fire time has come', () => {
    expect(healthSentence({ ...summary({ in_step: 1 }), next_fire_time: '2026-11-24T12:00:00Z' }, here, now)).toContain('next run now')
    expect(healthSentence({ ...summary({ in_step: 1 }), next_fire_time: null }, here, now)).toBe('1 job, in step; this instance leads.')
  })

  test('says that nobody leads', () => {
    expect(healthSentence(summary({ in_step: 1 }), { none: true, here: false, host: null }, now)).toContain('nobody leads')
  })
})
