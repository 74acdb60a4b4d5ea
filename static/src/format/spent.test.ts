import { describe, expect, test } from 'vitest'
import { sampleProgress, sampleRun } from '../api/samples'
import type { RunState, Spent, Usual } from '../api/wire'
import { adviceOf, usualShares, whole, type Shares } from './spent'

const spent = (over: Partial<Spent> = {}): Spent => ({ source: 1, transform: 0.5, destination: 1, checkpoint: 0.1, ...over })
const usual: Usual = {
  runs: 20,
  seconds: 3,
  streams: { orders: { read: 1_000, written: 1_000, bytes: 9_000, spent: spent() } },
}
const advice = (told: Shares, to: Usual, rows: number, state: RunState = 'succeeded') => adviceOf({ shares: told, usual: to, rows, state })
const shares = (over: Partial<Shares> = {}): Shares => ({ ...spent(), other: 0.4, waiting: 0, ...over })

test('what no stream accounts for went into opening and ending', () => {
  const run = sampleRun({ progress: { orders: sampleProgress({ spent: spent() }) } })
  const found = whole(run, 4, 2)
  expect(found.sideBySide).toBe(false)
  expect(found.shares.other).toBeCloseTo(1.4)
  expect(found.shares.waiting).toBe(2)
})

test('streams side by side spend more than passes', () => {
  const progress = { a: sampleProgress({ spent: spent() }), b: sampleProgress({ spent: spent() }) }
  expect(whole(sampleRun({ progress }), 3, 0)).toMatchObject({ sideBySide: true, shares: { source: 2, other: 0 } })
})

test('nothing is usual of a job that never succeeded', () => {
  expect(usualShares({ runs: 0, seconds: null, streams: {} })).toBeNull()
  expect(advice(shares(), { runs: 0, seconds: null, streams: {} }, 10, 'failed')).toMatch(/^No run of this job has succeeded yet/)
})

test('the first success is not compared with itself', () => {
  expect(advice(shares(), { ...usual, runs: 1 }, 1_000)).toMatch(/^It is the first run of this job that succeeded/)
  expect(advice(shares({ source: 9 }), { ...usual, runs: 1 }, 1_000, 'failed')).toContain('3 s is what the last run took that succeeded')
})

describe('the sentence on where the time went', () => {
  test('says that all is as usual', () => {
    expect(advice(shares(), usual, 1_000)).toBe('About as long as usual: 3 s is the median of the last 20 runs that succeeded.')
  })

  test('makes nothing of fractions of a second', () => {
    expect(advice(shares(), { ...usual, seconds: 2.2 }, 1_000)).toMatch(/^About as long as usual/)
  })

  test('names what grew most, and where to look', () => {
    const told = advice(shares({ source: 11, destination: 2 }), usual, 1_000)
    expect(told).toContain('11 s longer than usual')
    expect(told).toContain('Most of that is source: 11 s in place of 1 s. Look at the load of the source')
  })

  test('names the queue where that is what it waited for', () => {
    expect(advice(shares({ waiting: 30 }), usual, 1_000)).toContain('Most of that is waiting in the queue: 30 s in place of 0 ms')
  })

  test('does not blame a source that had more to give', () => {
    const more = shares({ source: 5, transform: 2.5, destination: 5, checkpoint: 0.5 })
    expect(advice(more, usual, 5_000)).toBe(
      'It moves 5.0 times the usual rows, and takes 4.5 times as long: its pace is the usual one.',
    )
  })

  test('compares nothing with a run that has not come to its end, unless it is longer already', () => {
    expect(advice(shares(), usual, 10, 'running')).toBe('3 s so far; a run of this job usually takes 3 s.')
    expect(advice(shares(), { ...usual, seconds: 60 }, 10, 'cancelled')).toBe('It did not come to its end; a run of this job usually takes 1 min.')
    expect(advice(shares({ destination: 50 }), usual, 10, 'running')).toContain('Most of that is destination')
  })

  test('is glad of what took less', () => {
    expect(advice(shares(), { ...usual, seconds: 30 }, 1_000)).toMatch(/^27 s less than usual/)
  })
})
