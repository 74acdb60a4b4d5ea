// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { sampleMark, sampleProgress, sampleRun } from '../api/samples'
import { Act, Said } from './Act'
import { Bars } from './Bars'
import { Loaded } from './Loaded'
import { RunState } from './RunState'
import { Streams } from './Streams'
import { Time } from './Time'

afterEach(cleanup)

describe('a run’s state', () => {
  test('is its word', () => {
    render(<RunState run={sampleRun()} />)
    expect(screen.getByText('succeeded')).toBeTruthy()
  })

  test('is cancelling from the asking to the end', () => {
    const cancel = { at: '2026-11-24T12:00:02Z', by: 'admin' }
    const { rerender } = render(<RunState run={sampleRun({ state: 'running', cancel })} />)
    expect(screen.getByText('cancelling')).toBeTruthy()
    rerender(<RunState run={sampleRun({ state: 'cancelled', cancel })} />)
    expect(screen.getByText('cancelled')).toBeTruthy()
  })

  test('tells when the next attempt comes', () => {
    const soon = new Date(Date.now() + 90_500).toISOString()
    render(<RunState run={sampleRun({ state: 'queued', attempt: 1, not_before: soon })} />)
    expect(screen.getByText(/^tries again in 1 min$/)).toBeTruthy()
  })
})

test('the bars say in words what they draw', () => {
  render(<Bars runs={[sampleMark({ id: 'c', state: 'failed' }), sampleMark({ id: 'b' }), sampleMark()]} />)
  expect(screen.getByRole('img', { name: 'Last 3 runs: 2 succeeded, 1 failed' })).toBeTruthy()
})

describe('a stream', () => {
  test('has a bar with a share where the total is known', () => {
    render(<Streams progress={{ orders: sampleProgress({ state: 'running', written: 25, total: 100 }) }} />)
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('25')
  })

  test('has one without where it is not', () => {
    render(<Streams progress={{ orders: sampleProgress({ state: 'running' }) }} />)
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBeNull()
  })
})

describe('a button that acts', () => {
  test('says what it is doing, and cannot be pressed twice', () => {
    const mutate = vi.fn()
    const { rerender } = render(<Act deed={{ isPending: false, error: null, mutate }} label="Cancel" busy="Asking…" of="run #3" />)
    fireEvent.click(screen.getByRole('button', { name: 'Cancel run #3' }))
    expect(mutate).toHaveBeenCalledOnce()
    rerender(<Act deed={{ isPending: true, error: null, mutate }} label="Cancel" busy="Asking…" of="run #3" />)
    fireEvent.click(screen.getByRole('button', { name: 'Asking… run #3' }))
    expect(mutate).toHaveBeenCalledOnce()
  })

  test('says why it failed', () => {
    render(<Said deeds={[{ error: new Error('The job is active.') }]} />)
    expect(screen.getByRole('alert').textContent).toBe('The job is active.')
  })
})

describe('a question to the server', () => {
  test('shows its error until there is an answer, and keeps the answer when a later one fails', () => {
    const refetch = vi.fn()
    const shown = (data: string | undefined, error: Error | null) => (
      <Loaded asked={{ data, error, refetch }}>{(text) => <p>{text}</p>}</Loaded>
    )
    const { rerender } = render(shown(undefined, null))
    expect(screen.getByRole('status', { name: 'Loading' })).toBeTruthy()
    rerender(shown(undefined, new Error('No answer.')))
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(refetch).toHaveBeenCalledOnce()
    rerender(shown(undefined, null))
    expect(screen.getByText('No answer.')).toBeTruthy()
    rerender(shown('the rows', null))
    rerender(shown('the rows', new Error('No answer.')))
    expect(screen.getByText('the rows')).toBeTruthy()
  })
})

test('a time shows how far away it is, and the exact one on hover', () => {
  render(<Time at={new Date(Date.now() - 125_000).toISOString()} />)
  const time = screen.getByText('2 min ago')
  expect(time.getAttribute('title')).toContain('UTC')
})
