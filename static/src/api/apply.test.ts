import { QueryClient } from '@tanstack/react-query'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { applyRun, listener } from './apply'
import { keys } from './queries'
import { sampleBrief, sampleJob, sampleMark, sampleProgress, sampleRun } from './samples'
import type { JobList, RunList } from './wire'

let client: QueryClient

beforeEach(() => {
  client = new QueryClient()
})

describe('a run that moved on', () => {
  const before = sampleRun({ state: 'running', finished_at: null })
  const after = { ...before, progress: { orders: sampleProgress({ written: 99 }) } }

  test('changes wherever it is shown', () => {
    client.setQueryData(keys.run(before.id), before)
    client.setQueryData([...keys.runs, {}], { items: [before], next: null })
    const marked = sampleMark({ state: 'running', seconds: null })
    const told = sampleBrief({ state: 'running', finished_at: null })
    client.setQueryData([...keys.jobs, {}], { items: [sampleJob({ last_run: told, recent_runs: [marked] })], next: null })
    expect(applyRun(client, after)).toBe(true)
    expect(client.getQueryData(keys.run(before.id))).toEqual(after)
    expect(client.getQueryData<RunList>([...keys.runs, {}])?.items).toEqual([after])
    const job = client.getQueryData<JobList>([...keys.jobs, {}])?.items[0]
    expect(job?.last_run).toEqual({ ...told, written: 99 })
    expect(job?.recent_runs).toEqual([{ ...marked, written: 99 }])
  })

  test('puts nothing where nothing was asked', () => {
    applyRun(client, after)
    expect(client.getQueryCache().getAll()).toHaveLength(0)
  })

  test('is not enough where the run is new or came into another state', () => {
    expect(applyRun(client, after)).toBe(false)
    client.setQueryData([...keys.runs, {}], { items: [sampleRun({ state: 'queued' })], next: null })
    expect(applyRun(client, after)).toBe(false)
  })
})

test('questions that events made old are asked anew together', () => {
  vi.useFakeTimers()
  const asked = vi.spyOn(client, 'invalidateQueries').mockResolvedValue()
  const { onEvent } = listener(client)
  onEvent({ type: 'lease', data: null })
  onEvent({ type: 'lease', data: null })
  onEvent({ type: 'lease', data: null })
  expect(asked).not.toHaveBeenCalled()
  vi.runAllTimers()
  expect(asked.mock.calls.map(([filter]) => filter?.queryKey)).toEqual([keys.status, keys.instances])
  vi.useRealTimers()
})

test('what is old when a person pauses the page is not asked for any more', () => {
  vi.useFakeTimers()
  const asked = vi.spyOn(client, 'invalidateQueries').mockResolvedValue()
  let held = false
  const { onEvent } = listener(client, () => held)
  onEvent({ type: 'run', data: null })
  held = true
  vi.runAllTimers()
  expect(asked).not.toHaveBeenCalled()
  vi.useRealTimers()
})
