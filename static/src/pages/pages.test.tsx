// @vitest-environment jsdom
import { QueryClientProvider } from '@tanstack/react-query'
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Router } from 'wouter'
import { memoryLocation } from 'wouter/memory-location'
import { App } from '../App'
import { Live } from '../api/live'
import { LiveContext } from '../api/live-context'
import { makeQueryClient } from '../api/queries'
import { sampleBrief, sampleJob } from '../api/samples'
import type { Need, Standing, Summary } from '../api/wire'

const STATUS = {
  version: '0.1.0',
  mode: 'production',
  instance: 'i1',
  lease: { holder: 'h', instance: 'i1', token: 1, acquired_at: null, renewed_at: null, expires_at: null, live: true },
  queue: { queued: 0, running: 0, held: 0 },
  queue_depth: 0,
  running: [],
  next_fire_times: [],
  warnings: [],
}

function summary(standings: Partial<Record<Standing, number>>): Summary {
  const jobs = Object.values(standings).reduce((sum, amount) => sum + amount, 0)
  return { jobs, standings, next_fire_time: null, next_job: null }
}

let answers: Record<string, [status: number, body: unknown]>
/** What an answer waits for, by its path. */
let holding: Record<string, Promise<void>>

beforeEach(() => {
  holding = {}
  answers = {
    '/api/status': [200, STATUS],
    '/api/session': [200, { who: 'admin', scope: 'admin', how: 'session' }],
    '/api/summary': [200, summary({})],
    '/api/needs': [200, { items: [], total: 0, summary: summary({}) }],
    '/api/jobs': [200, { items: [], next: null }],
    '/api/runs': [200, { items: [], next: null }],
    '/api/instances': [200, { items: [], terms: [], next: null }],
  }
  vi.stubGlobal('EventSource', class { close() {} })
  vi.stubGlobal('scrollTo', vi.fn())
  vi.stubGlobal('fetch', async (path: string) => {
    const { pathname } = new URL(path, 'http://here')
    await holding[pathname]
    const [status, body] = answers[pathname] ?? [404, { title: 'Not Found' }]
    return new Response(JSON.stringify(body), { status })
  })
})

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

function open(address: string, onSignedOut = vi.fn()): void {
  const [path = '', search = ''] = address.split('?')
  const { hook, searchHook } = memoryLocation({ path, searchPath: search })
  const live = new Live('/api/events', [], vi.fn(), vi.fn())
  render(
    <QueryClientProvider client={makeQueryClient(onSignedOut, () => 60_000)}>
      <LiveContext value={live}>
        <Router hook={hook} searchHook={searchHook}>
          <App />
        </Router>
      </LiveContext>
    </QueryClientProvider>,
  )
}

test('the overview shows what the watchdog found, in its words, and late jobs only once', async () => {
  const warning = { kind: 'no_leader', subject: 'scheduler', since: null, message: 'nobody leads since noon' }
  const late = { kind: 'late_job', subject: 'orders', since: null, message: 'job orders was due an hour ago' }
  answers['/api/status'] = [200, { ...STATUS, warnings: [warning, late] }]
  open('/')
  expect(await screen.findByText('nobody leads since noon')).toBeTruthy()
  expect(screen.queryByText('job orders was due an hour ago')).toBeNull()
})

describe('a list', () => {
  test('that is not here yet keeps its place', () => {
    vi.stubGlobal('fetch', () => new Promise(() => undefined))
    open('/jobs')
    expect(screen.getByRole('status', { name: 'Loading' })).toBeTruthy()
  })

  test('of nothing yet says how to begin', async () => {
    open('/jobs')
    expect(await screen.findByText('No jobs yet')).toBeTruthy()
    expect(screen.getByText(/syncworker apply/)).toBeTruthy()
  })

  test('of nothing that matches says so, and clears its search', async () => {
    open('/jobs?q=invoices')
    expect(await screen.findByText('Nothing matches')).toBeTruthy()
    answers['/api/jobs'] = [200, { items: [sampleJob()], next: null }]
    fireEvent.click(screen.getByRole('button', { name: 'Clear the filters' }))
    expect(await screen.findByRole('link', { name: 'orders' })).toBeTruthy()
  })

  test('that cannot be had says why', async () => {
    answers['/api/jobs'] = [422, { title: 'Unprocessable Entity', detail: 'The question makes no sense.' }]
    open('/jobs')
    expect(await screen.findByText('The question makes no sense.')).toBeTruthy()
    answers['/api/jobs'] = [200, { items: [sampleJob()], next: null }]
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByRole('link', { name: 'orders' })).toBeTruthy()
  })
})

describe('who may only look', () => {
  beforeEach(() => {
    answers['/api/session'] = [200, { who: 'viewer', scope: 'read', how: 'token' }]
    answers['/api/jobs'] = [200, { items: [sampleJob()], next: null }]
  })

  test('sees jobs, and nothing to press or select', async () => {
    open('/jobs?selected=orders')
    expect(await screen.findByRole('link', { name: 'orders' })).toBeTruthy()
    await vi.waitFor(() => expect(screen.queryByRole('link', { name: 'New job' })).toBeNull())
    expect(screen.queryByRole('button', { name: 'Run orders' })).toBeNull()
    expect(screen.queryByRole('checkbox')).toBeNull()
  })

  test('is not offered a demo', async () => {
    answers['/api/jobs'] = [200, { items: [], next: null }]
    open('/jobs')
    expect(await screen.findByText('No jobs yet')).toBeTruthy()
    expect(screen.queryByRole('button', { name: 'Look at a demo' })).toBeNull()
  })
})

test('who may do more sees the buttons of a job', async () => {
  answers['/api/jobs'] = [200, { items: [sampleJob()], next: null }]
  open('/jobs')
  expect(await screen.findByRole('button', { name: 'Run orders' })).toBeTruthy()
  expect(screen.getByRole('checkbox', { name: 'Select orders' })).toBeTruthy()
  expect(screen.getByRole('link', { name: 'New job' })).toBeTruthy()
})

test('a row and what one may do with it come together', async () => {
  answers['/api/jobs'] = [200, { items: [sampleJob()], next: null }]
  let tell = () => {}
  holding['/api/session'] = new Promise((resolve) => {
    tell = resolve
  })
  open('/jobs')
  expect(await screen.findByRole('status', { name: 'Loading' })).toBeTruthy()
  expect(screen.queryByRole('link', { name: 'orders' })).toBeNull()
  tell()
  await screen.findByRole('link', { name: 'orders' })
  expect(screen.getByRole('checkbox', { name: 'Select orders' })).toBeTruthy()
})

describe('the overview', () => {
  test('says that all is well', async () => {
    answers['/api/needs'] = [200, { items: [], total: 0, summary: summary({ in_step: 1 }) }]
    open('/')
    expect(await screen.findByText('1 job, in step; this instance leads.')).toBeTruthy()
  })

  test('offers to approve or discard what is held, naming what would be removed', async () => {
    const run = sampleBrief({ state: 'held', finished_at: null, removes: 1234 })
    const message = 'orders would lose 1234 of 2000 rows'
    const held: Need = {
      ...{ kind: 'held', job_id: 'orders', run, since: run.queued_at, message },
      ...{ heals: false, heals_at: null, deed: 'approve', field: null },
    }
    answers['/api/needs'] = [200, { items: [held], total: 1, summary: summary({ held: 1 }) }]
    open('/')
    expect(await screen.findByText(/it would remove 1,234 rows/)).toBeTruthy()
    expect(await screen.findByText(/may remove up to 1,234 rows/)).toBeTruthy()
    expect(screen.getAllByText('Discard').length).toBeGreaterThan(0)
  })
})

test('who is not logged in is sent to do so', async () => {
  answers['/api/status'] = [401, { title: 'Unauthorized' }]
  const onSignedOut = vi.fn()
  open('/', onSignedOut)
  await vi.waitFor(() => {
    expect(onSignedOut).toHaveBeenCalled()
  })
})
