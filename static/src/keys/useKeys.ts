import { useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import { moveRow, openRow, runRow, selectRow } from './rows'
import { meaning, PATIENCE_MS, type Command } from './strokes'

interface Dialogs {
  openHelp: () => void
  openPalette: () => void
  /** Let go of what is selected. */
  clear: () => void
}

/** The keys of the dashboard, everywhere but where one types and while a dialog is open. */
export function useKeys(dialogs: Dialogs): void {
  const [, go] = useLocation()
  const latest = useRef({ go, dialogs })
  useEffect(() => {
    latest.current = { go, dialogs }
  })
  useEffect(() => {
    let waiting = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const act = (command: Command): boolean => {
      const { go, dialogs } = latest.current
      switch (command.does) {
        case 'go':
          go(command.to)
          return true
        case 'move':
          moveRow(command.by)
          return true
        case 'open':
          return openRow()
        case 'select':
          return selectRow()
        case 'run':
          return runRow()
        case 'search':
          return focusSearch()
        case 'help':
          dialogs.openHelp()
          return true
        case 'palette':
          dialogs.openPalette()
          return true
        case 'clear':
          dialogs.clear()
          return true
      }
    }
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return
      const read = meaning(event, waiting)
      // In a field letters are text; only the palette opens from there.
      if (isTyping(event.target) && read.command?.does !== 'palette') return
      waiting = read.waiting
      clearTimeout(timer)
      timer = setTimeout(() => {
        waiting = false
      }, PATIENCE_MS)
      if (read.command && act(read.command)) event.preventDefault()
    }
    document.addEventListener('keydown', onKeyDown)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('keydown', onKeyDown)
    }
  }, [])
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'submit'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('main [data-search], main input[type=search]')
  field?.focus()
  field?.select()
  return field !== null
}
