import { describe, expect, test } from 'vitest'
import { HELP, meaning, type Stroke } from './strokes'

const stroke = (key: string, over: Partial<Stroke> = {}): Stroke => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...over })
const alone = (key: string, over?: Partial<Stroke>) => meaning(stroke(key, over), false).command

describe('a key', () => {
  test('means what the help says', () => {
    expect(alone('j')).toEqual({ does: 'move', by: 1 })
    expect(alone('k')).toEqual({ does: 'move', by: -1 })
    expect(alone('/')).toEqual({ does: 'search' })
    expect(alone('?')).toEqual({ does: 'help' })
    expect(alone('x')).toEqual({ does: 'select' })
    expect(alone('.')).toEqual({ does: 'run' })
    expect(alone('Escape')).toEqual({ does: 'clear' })
    expect(alone('q')).toBeNull()
  })

  test('after g goes to a page, and only the next one does', () => {
    expect(meaning(stroke('g'), false)).toEqual({ command: null, waiting: true })
    expect(meaning(stroke('j'), true)).toEqual({ command: { does: 'go', to: '/jobs' }, waiting: false })
    expect(meaning(stroke('x'), true)).toEqual({ command: null, waiting: false })
  })

  test('with Ctrl or Cmd opens the palette, and is else the browser’s', () => {
    expect(alone('k', { ctrlKey: true })).toEqual({ does: 'palette' })
    expect(alone('K', { metaKey: true })).toEqual({ does: 'palette' })
    expect(alone('j', { ctrlKey: true })).toBeNull()
    expect(alone('.', { altKey: true })).toBeNull()
  })
})

test('every key of the help does something', () => {
  for (const [, lines] of HELP) {
    for (const [keys] of lines) {
      const [first = '', second] = keys
      if (first === 'g') expect(meaning(stroke(second ?? ''), true).command).not.toBeNull()
      else if (first === 'Ctrl') expect(alone('k', { ctrlKey: true })).not.toBeNull()
      else expect(alone(first === 'Esc' ? 'Escape' : first)).not.toBeNull()
    }
  }
})
