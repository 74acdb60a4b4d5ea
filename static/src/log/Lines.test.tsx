// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LogLine } from '../api/wire'
import { Lines, type LinesProps } from './Lines'

const line = (n: number): LogLine => ({ n, at: '2026-11-24T12:00:00Z', level: 'info', message: `line ${n}`, stream: null, attempt: 1 })

function lines(total: number, over: Partial<LinesProps> = {}) {
  return (
    <Lines
      total={total}
      lineAt={(place) => line(place + 1)}
      onView={() => undefined}
      growing
      wrap
      words=""
      attempts={false}
      picked={null}
      goTo={null}
      linkTo={(n) => `/runs/a1?tab=log&line=${n}`}
      {...over}
    />
  )
}

/** A browser lays out nothing here: what it would say of the box. */
function laidOut(element: HTMLElement, scrollHeight: number): void {
  Object.defineProperty(element, 'scrollHeight', { value: scrollHeight, configurable: true })
  Object.defineProperty(element, 'clientHeight', { value: 200, configurable: true })
}

beforeEach(() => {
  vi.stubGlobal('ResizeObserver', class { observe() {} disconnect() {} })
})

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

describe('a log', () => {
  test('follows its end, lets go on scroll up, and follows again when asked', () => {
    const { rerender } = render(lines(1))
    const box = screen.getByRole('log')
    laidOut(box, 1_000)
    rerender(lines(2))
    expect(box.scrollTop).toBe(1_000)
    fireEvent.scroll(box)

    box.scrollTop = 300
    fireEvent.scroll(box)
    rerender(lines(3))
    expect(box.scrollTop).toBe(300)

    fireEvent.click(screen.getByRole('button', { name: 'Follow' }))
    expect(box.scrollTop).toBe(1_000)
    expect(screen.queryByRole('button', { name: 'Follow' })).toBeNull()
  })

  test('is read out only while it is followed and grows slowly', () => {
    const { rerender } = render(lines(10))
    expect(screen.getByRole('log').getAttribute('aria-live')).toBe('polite')
    rerender(lines(150))
    expect(screen.getByRole('log').getAttribute('aria-live')).toBe('off')
    rerender(lines(151))
    expect(screen.getByRole('log').getAttribute('aria-live')).toBe('polite')
    rerender(lines(151, { growing: false }))
    expect(screen.getByRole('log').getAttribute('aria-live')).toBe('off')
  })

  test('tells of each row which it is of how many, and draws few of very many', () => {
    render(lines(1_000_000))
    const rows = screen.getAllByRole('listitem')
    expect(rows.length).toBeLessThan(10)
    expect(rows[0]?.getAttribute('aria-posinset')).toBe('1')
    expect(rows[0]?.getAttribute('aria-setsize')).toBe('1000000')
  })

  test('marks the line that is kept in the address', () => {
    render(lines(5, { picked: 3, goTo: { place: 2, key: '3' } }))
    expect(screen.getByText('line 3').closest('li')?.getAttribute('aria-current')).toBe('true')
    expect(screen.getByRole('button', { name: 'Follow' })).toBeTruthy()
  })
})
