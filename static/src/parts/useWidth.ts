import { useEffect, useState, type RefObject } from 'react'

/** What is taken for the width where nothing tells it. */
const USUAL = 900

/** How wide an element is, in px, as it changes; 0 until it is known. */
export function useWidth(of: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(typeof ResizeObserver === 'undefined' ? USUAL : 0)
  useEffect(() => {
    const element = of.current
    if (!element || typeof ResizeObserver === 'undefined') return
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width))
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [of])
  return width
}
