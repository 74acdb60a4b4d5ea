// @vitest-environment jsdom
import { QueryClientProvider } from '@tanstack/react-query'
import { cleanup, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Router } from 'wouter'
import { memoryLocation } from 'wouter/memory-location'
import { makeQueryClient } from '../../api/queries'
import { sampleAlert, sampleDelivery, sampleEvent } from '../../api/samples'
import { Settings } from '../Settings'

const MASK = '********'
let answers: Record<string, [status: number, body: unknown]>
let sent: { method: string; path: string; body: unknown; revision: string | null }[]

beforeEach(() => {
  sessionStorage.clear()
  sent = []
  answers = {
    '/api/session': [200, { who: 'admin', scope: 'admin', how: 'session' }],
    '/api/alerts': [200, { items: [], next: null }],
    '/api/alerts/team-chat': [200, sampleAlert({ format: 'json', secret: MASK })],
    '/api/alerts/team-chat/events': [200, { items: [], next: null }],
  }
  vi.stubGlobal('fetch', (path: string, { method = 'GET', body, headers }: RequestInit = {}) => {
    const { pathname } = new URL(path, 'http://here')
    const said = typeof body === 'string' ? (JSON.parse(body) as unknown) : undefined
    if (method !== 'GET') sent.push({ method, path: pathname, body: said, revision: new Headers(headers).get('If-Match') })
    const [status, answer] = answers[`${method} ${pathname}`] ?? answers[pathname] ?? [404, { title: 'Not Found' }]
    return Promise.resolve(new Response(JSON.stringify(answer), { status }))
  })
})

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

function open(search: string) {
  const { hook, searchHook } = memoryLocation({ path: '/settings', searchPath: search })
  return render(
    <QueryClientProvider client={makeQueryClient(vi.fn(), () => 60_000)}>
      <Router hook={hook} searchHook={searchHook}>
        <Settings />
      </Router>
    </QueryClientProvider>,
  )
}

describe('the list of alerts', () => {
  test('teaches where there is none', async () => {
    open('tab=alerts')
    expect(await screen.findByText('Nobody is told yet')).toBeTruthy()
    expect(await screen.findByRole('link', { name: 'New alert' })).toBeTruthy()
  })

  test('says of each what it tells, and why its messages wait', async () => {
    const delivery = sampleDelivery({ waiting: 2, last_error: 'chat.example answered 503', last_error_at: '2026-11-24T12:00:00Z' })
    answers['/api/alerts'] = [200, { items: [sampleAlert({ delivery, jobs: ['orders', 'gone'], missing_jobs: ['gone'] })], next: null }]
    open('tab=alerts')
    const row = within(await screen.findByRole('row', { name: /^team-chat/ }))
    expect(row.getByText('When a job fails, when it is in step again, and when a run of it is held.')).toBeTruthy()
    expect(row.getByText('2 waiting')).toBeTruthy()
    expect(row.getByText('chat.example answered 503')).toBeTruthy()
    expect(row.getByText('gone', { selector: '.tag' })).toBeTruthy()
  })

  test('offers nothing to press to who may only look, and no change of what a file keeps', async () => {
    answers['/api/alerts'] = [200, { items: [sampleAlert({ owner: '/etc/jobs.yaml' })], next: null }]
    open('tab=alerts')
    expect(await screen.findByRole('button', { name: 'Test team-chat' })).toBeTruthy()
    expect(screen.queryByRole('button', { name: 'Delete team-chat' })).toBeNull()
    cleanup()
    answers['/api/session'] = [200, { who: 'viewer', scope: 'read', how: 'token' }]
    open('tab=alerts')
    expect(await screen.findByRole('link', { name: 'team-chat' })).toBeTruthy()
    expect(screen.queryByRole('button')).toBeNull()
    expect(screen.queryByRole('link', { name: 'New alert' })).toBeNull()
  })
})

describe('the page of an alert', () => {
  test('is one that says so where there is none', async () => {
    open('tab=alerts&alert=nobody')
    expect(await screen.findByText('There is no alert “nobody”')).toBeTruthy()
  })

  test('shows who may only look what it tells and told, and no form', async () => {
    answers['/api/session'] = [200, { who: 'viewer', scope: 'read', how: 'token' }]
    answers['/api/alerts/team-chat/events'] = [200, { items: [sampleEvent({ state: 'given_up', sent_at: null, note: 'a day has passed' })], next: null }]
    open('tab=alerts&alert=team-chat')
    expect(await screen.findByText(/^It tells chat.example when any job fails/)).toBeTruthy()
    const row = within(await screen.findByRole('row', { name: /orders failed/ }))
    expect(row.getByText('given up')).toBeTruthy()
    expect(row.getByText('a day has passed')).toBeTruthy()
    expect(row.getByRole('link', { name: 'the run' }).getAttribute('href')).toBe('/runs/a1')
    expect(screen.queryByRole('textbox')).toBeNull()
  })

  test('saves over what was read, and keeps the secrets that it never saw', async () => {
    open('tab=alerts&alert=team-chat')
    expect(await screen.findByLabelText('URL')).toMatchObject({ value: '', placeholder: 'set — leave empty to keep it' })
    fireEvent.change(screen.getByLabelText('Failed runs in a row'), { target: { value: '3' } })
    expect(screen.getByText(/has failed 3 times in a row/, { selector: '.promise' })).toBeTruthy()
    answers['GET /api/alerts/team-chat'] = answers['PUT /api/alerts/team-chat'] = [200, sampleAlert({ secret: MASK, failures: 3, revision: 2 })]
    fireEvent.click(screen.getByRole('button', { name: 'Save' }))
    expect(await screen.findByText('saved as revision 2')).toBeTruthy()
    expect(sent[0]).toMatchObject({ method: 'PUT', revision: '"1"', body: { url: MASK, secret: MASK, failures: 3 } })
    expect(screen.queryByText(/Somebody changed/)).toBeNull()
  })

  test('tells what somebody else saved meanwhile, and both can stand', async () => {
    const theirs = sampleAlert({ secret: MASK, held: false, revision: 5 })
    answers['PUT /api/alerts/team-chat'] = [412, { title: 'Precondition Failed', current: theirs }]
    open('tab=alerts&alert=team-chat')
    fireEvent.change(await screen.findByLabelText('Failed runs in a row'), { target: { value: '3' } })
    fireEvent.click(screen.getByRole('button', { name: 'Save' }))
    expect(await screen.findByText('Somebody changed this alert while you did')).toBeTruthy()
    answers['/api/alerts/team-chat'] = [200, theirs]
    fireEvent.click(screen.getByRole('button', { name: 'Keep both, and go on' }))
    expect(screen.getByLabelText('Failed runs in a row')).toMatchObject({ value: '3' })
    expect(screen.getByLabelText('A run is held')).toMatchObject({ checked: false })
    fireEvent.click(screen.getByRole('button', { name: 'Save' }))
    await vi.waitFor(() => expect(sent[1]).toMatchObject({ revision: '"5"', body: { failures: 3, held: false } }))
  })
})

describe('a new alert', () => {
  test('has the server’s faults at their fields', async () => {
    const errors = [
      { field: 'url', message: 'is "ftp://x"; http:// or https:// is allowed' },
      { field: 'stale', message: 'is "soon"; a duration such as 2h is allowed' },
    ]
    answers['POST /api/alerts'] = [422, { title: 'Unprocessable Content', errors }]
    open('tab=alerts&alert=new')
    fireEvent.change(await screen.findByLabelText('Name'), { target: { value: 'team-chat' } })
    fireEvent.change(screen.getByLabelText('URL'), { target: { value: 'ftp://x' } })
    fireEvent.click(screen.getByLabelText('Data is stale'))
    fireEvent.change(screen.getByLabelText('Data is older than'), { target: { value: 'soon' } })
    fireEvent.click(screen.getByRole('button', { name: 'Save alert' }))
    expect(await screen.findByText(errors[0]?.message ?? '')).toBeTruthy()
    expect(screen.getByLabelText('URL').getAttribute('aria-invalid')).toBe('true')
    expect(screen.getByText(errors[1]?.message ?? '')).toBeTruthy()
    expect(screen.getByLabelText('Data is older than').getAttribute('aria-invalid')).toBe('true')
  })

  test('is kept over a reload, its secrets are not', async () => {
    const { unmount } = open('tab=alerts&alert=new')
    fireEvent.change(await screen.findByLabelText('Name'), { target: { value: 'team-chat' } })
    fireEvent.change(screen.getByLabelText('URL'), { target: { value: 'https://chat.example/T1/secret' } })
    fireEvent.click(screen.getByLabelText('Sign the messages'))
    fireEvent.click(screen.getByRole('button', { name: 'Make one' }))
    expect(screen.getByLabelText<HTMLInputElement>('Signing secret').value).toMatch(/^whsec_/)
    expect(sessionStorage.getItem('new alert')).toContain('team-chat')
    expect(sessionStorage.getItem('new alert')).not.toMatch(/T1|whsec/)
    unmount()
    open('tab=alerts&alert=new')
    expect(await screen.findByLabelText('Name')).toMatchObject({ value: 'team-chat' })
    expect(screen.getByLabelText('URL')).toMatchObject({ value: '' })
    expect(screen.getByLabelText('Signing secret')).toMatchObject({ value: '' })
  })

  test('is made by admins only', async () => {
    answers['/api/session'] = [200, { who: 'night shift', scope: 'operate', how: 'token' }]
    open('tab=alerts&alert=new')
    expect(await screen.findByText('You may not make alerts')).toBeTruthy()
  })
})
