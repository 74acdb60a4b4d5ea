import { describe, expect, test } from 'vitest'
import { sampleJob } from '../api/samples'
import { entries, jobWords } from './palette'

const job = sampleJob({ id: 'orders', standing: 'failed' })
const labels = (typed: string, may = true) => entries(typed, [job], may).map(({ label }) => label)

describe('the palette', () => {
  test('offers the pages before anything is typed', () => {
    expect(labels('')).toContain('Instances')
    expect(labels('')).not.toContain('orders')
  })

  test('finds pages by their names and by what is on them', () => {
    expect(labels('inst')[0]).toBe('Instances')
    expect(labels('leader')[0]).toBe('Instances')
  })

  test('offers jobs, and what can be done with them', () => {
    expect(labels('orders')).toEqual(['orders', 'Run orders', 'Pause orders'])
    expect(entries('orders', [job], true)[0]?.hint).toBe('job, failed')
  })

  test('does not hide many jobs behind what can be done with them', () => {
    const many = ['a', 'b', 'c'].map((id) => ({ ...job, id }))
    expect(entries('zz', many, true).map(({ label }) => label)).toEqual(['a', 'b', 'c'])
    expect(entries('run zz', many, true).map(({ label }) => label)).toEqual(['Run a', 'Run b', 'Run c', 'a', 'b', 'c'])
  })

  test('puts a deed first that is asked for by its verb', () => {
    expect(labels('run orders')[0]).toBe('Run orders')
    expect(labels('pause orders')[0]).toBe('Pause orders')
    expect(entries('resume orders', [{ ...job, enabled: false }], true)[0]?.does).toEqual({ kind: 'job', deed: 'enable', id: 'orders' })
    expect(jobWords(' Run  orders ')).toBe('orders')
    expect(jobWords('runner')).toBe('runner')
  })

  test('offers no deed to who may only look', () => {
    expect(labels('run orders', false)).toEqual(['orders'])
  })

  test('offers the themes', () => {
    expect(entries('dark', [], false)[0]?.does).toEqual({ kind: 'theme', theme: 'dark' })
  })
})
