import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import type { LogLine } from '../api/wire'
import { Icon } from '../parts/Icon'
import { anchorOf, boxHeight, drawn, farthest, HIGHEST, kept, ROW, stepFor, topFor, type View } from './geometry'
import { pxOfKey, useWheel } from './moves'
import { Row } from './Row'

/** Up to so many lines are simply laid out: the browser finds words in them and copies across them. */
const FEW = 200
/** How far from the end still counts as the end, in px. */
const SLACK = 24
/** More lines at once than this are not read out. */
const SLOW = 3

export interface LinesProps {
  total: number
  lineAt: (place: number) => LogLine | undefined
  /** Told whenever other lines are drawn, by place. */
  onView: (first: number, last: number) => void
  growing: boolean
  wrap: boolean
  words: string
  attempts: boolean
  /** The number of the line that is kept in the address. */
  picked: number | null
  /** The place to show; gone to once for each `key`. */
  goTo: { place: number; key: string } | null
  linkTo: (n: number) => string
}

/** A log of any length in a window: it follows the end until the reader scrolls up, and again when they come back down. */
export function Lines({ total, lineAt, onView, growing, wrap, words, attempts, picked, goTo, linkTo }: LinesProps) {
  const box = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLOListElement>(null)
  const shown = useRef<View | null>(null)
  const lastTop = useRef(0)
  const carry = useRef(0)
  const [at, setAt] = useState({ top: 0, height: 0 })
  const [follows, setFollows] = useState(growing && goTo === null)
  const [went, setWent] = useState<string | null>(null)
  const [grown, setGrown] = useState({ total, by: 0 })
  if (grown.total !== total) setGrown({ total, by: total - grown.total })
  if (goTo && goTo.key !== went) {
    setWent(goTo.key)
    setFollows(false)
  }
  const few = total <= FEW
  const view = { total, ...at }
  const [first, last] = few ? [0, total] : drawn(view)

  useEffect(() => onView(first, last), [onView, first, last])

  useEffect(() => {
    const element = box.current
    if (!element) return
    const seen = new ResizeObserver(() => {
      const height = element.clientHeight
      // The same line stays where it is looked at: as far into the log as before, whatever the window's height.
      if (shown.current && height !== shown.current.height) element.scrollTop = kept(shown.current, height)
      setAt({ top: element.scrollTop, height })
    })
    seen.observe(element)
    return () => seen.disconnect()
  }, [])

  useLayoutEffect(() => {
    shown.current = few || at.height === 0 ? null : { total, ...at }
  })

  // What is drawn is put where the geometry wants it; only now is it known how high the rows are.
  useLayoutEffect(() => {
    const rows = list.current
    if (!rows || few) return
    const { line, y } = anchorOf({ total, top: at.top, height: at.height })
    const whole = Math.min(Math.floor(line), last - 1)
    const row = rows.children[whole - first] as HTMLElement | undefined
    const within = row ? row.offsetTop + (line - whole) * row.offsetHeight : 0
    rows.style.transform = `translateY(${Math.round(y - within)}px)`
  })

  useLayoutEffect(() => {
    if (follows && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [follows, total, at.height, wrap])

  const key = goTo?.key
  const place = goTo?.place
  useLayoutEffect(() => {
    const element = box.current
    if (!element || place === undefined || at.height === 0) return
    const row = list.current?.children[place - first] as HTMLElement | undefined
    if (row && isWithin(row, element)) return // who picks a line that they see does not want it to move
    element.scrollTop = few ? (row?.offsetTop ?? 0) - element.clientHeight / 2 : topFor(place, { total, height: at.height })
    // Once for each place that is asked for: a log that grows stays where it is.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, at.height > 0])

  /** Move what is drawn by `px`, whatever a px of scrolling stands for. */
  const move = (px: number) => {
    const element = box.current
    if (!element) return
    if (few) {
      element.scrollTop += px
      return
    }
    const row = (list.current?.offsetHeight ?? 0) / Math.max(1, last - first) || ROW
    const step = stepFor(px, row, view) + carry.current
    const whole = Math.trunc(step)
    carry.current = step - whole // a browser scrolls by whole px alone
    element.scrollTop += whole
  }

  useWheel(box, !few && (wrap || boxHeight(total) === HIGHEST), move)
  const onKeyDown = (event: KeyboardEvent) => {
    const px = event.target === box.current ? pxOfKey(event, at.height) : null
    if (px === null) return
    event.preventDefault()
    move(px)
  }

  const onScroll = () => {
    const element = box.current
    if (!element) return
    const { scrollTop: top, clientHeight: height } = element
    const end = few ? element.scrollHeight - height : farthest({ total, height })
    if (end - top < SLACK) setFollows(true)
    else if (top < lastTop.current) setFollows(false)
    lastTop.current = top
    setAt({ top, height })
  }

  const rows = Array.from({ length: Math.max(0, last - first) }, (_, index) => {
    const line = lineAt(first + index)
    return (
      <Row
        key={first + index}
        line={line}
        place={first + index}
        total={total}
        picked={line !== undefined && line.n === picked}
        attempts={attempts}
        words={words}
        linkTo={linkTo}
      />
    )
  })
  return (
    <div className="log">
      <div
        ref={box}
        className={['log-box', wrap && 'wrap', few && 'few', attempts && 'attempts'].filter(Boolean).join(' ')}
        role="log"
        aria-label="Log"
        aria-live={growing && follows && grown.by <= SLOW ? 'polite' : 'off'}
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
      >
        <div style={few ? undefined : { blockSize: `${boxHeight(total)}px` }}>
          <div className={few ? undefined : 'log-pane'} style={few ? undefined : { blockSize: `${at.height}px` }}>
            <ol ref={list} aria-label="Log lines">
              {rows}
            </ol>
          </div>
        </div>
      </div>
      {!follows && growing && (
        <button type="button" className="button follow" onClick={() => setFollows(true)}>
          <Icon name="down" size={13} /> Follow
        </button>
      )}
    </div>
  )
}

function isWithin(row: HTMLElement, box: HTMLElement): boolean {
  const [inner, outer] = [row.getBoundingClientRect(), box.getBoundingClientRect()]
  return inner.top >= outer.top && inner.bottom <= outer.bottom
}
