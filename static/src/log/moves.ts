/** What a key or a wheel moves, in px of what is drawn; a box that stands for more lines than it is high is moved by hand. */
import { useEffect, type KeyboardEvent, type RefObject } from 'react'
import { ROW } from './geometry'

/** Null where the key is none of ours, so that the browser does what it does. */
export function pxOfKey({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent, height: number): number | null {
  if (ctrlKey || metaKey || altKey) return null
  const page = Math.max(ROW, height - 2 * ROW)
  switch (key) {
    case 'ArrowDown':
      return ROW
    case 'ArrowUp':
      return -ROW
    case 'PageDown':
      return page
    case 'PageUp':
      return -page
    case ' ':
      return shiftKey ? -page : page
    default:
      return null
  }
}

/** Turn the wheel into `move`, where `wanted`; elsewhere the browser scrolls. */
export function useWheel(box: RefObject<HTMLElement | null>, wanted: boolean, move: (px: number) => void): void {
  useEffect(() => {
    const element = box.current
    if (!element || !wanted) return
    const turn = (event: WheelEvent) => {
      if (event.ctrlKey) return // it zooms
      event.preventDefault()
      move(event.deltaY * (event.deltaMode === 1 ? ROW : event.deltaMode === 2 ? element.clientHeight : 1))
    }
    element.addEventListener('wheel', turn, { passive: false })
    return () => element.removeEventListener('wheel', turn)
  })
}
