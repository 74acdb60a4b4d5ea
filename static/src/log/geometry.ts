/** Where lines stand in a window that shows a few of very many.

A browser lays out no box of a million rows, and rows that wrap have heights that nobody knows before they are drawn. So
the box that is scrolled has a height that stands for the lines, and how far it is scrolled says which line stands where: at
the top the first line is at the top edge, at the end the last one is at the bottom edge, between them in proportion. Where
rows do not wrap and the box is as high as all of them, that is just what scrolling always does. */

/** The height of a line that does not wrap, in px; `run.css` has the same. */
export const ROW = 20
/** Higher than this a box is cut off by some browsers: Firefox ends near 17.9 million. */
export const HIGHEST = 8_000_000
/** Rows drawn beyond each edge. */
const BEYOND = 2

export interface View {
  /** Lines in all. */
  total: number
  /** How far the box is scrolled, and how high the window on it is, in px. */
  top: number
  height: number
}

/** `line` (with its fraction) stands at `y` px below the upper edge of the window. */
export interface Anchor {
  line: number
  y: number
}

export function boxHeight(total: number): number {
  return Math.min(total * ROW, HIGHEST)
}

/** How far the box can be scrolled. */
export function farthest({ total, height }: Pick<View, 'total' | 'height'>): number {
  return Math.max(0, boxHeight(total) - height)
}

export function anchorOf(view: View): Anchor {
  const most = farthest(view)
  const share = most === 0 ? 0 : Math.min(1, Math.max(0, view.top / most))
  return { line: share * view.total, y: share * view.height }
}

/** The lines to draw, from the first to before the last. */
export function drawn(view: View): [first: number, last: number] {
  const { line, y } = anchorOf(view)
  const first = Math.floor(line - y / ROW) - BEYOND
  const last = Math.ceil(line + (view.height - y) / ROW) + BEYOND
  return [Math.max(0, first), Math.min(view.total, last)]
}

/** How far to scroll so that line `index` (from 0) is in the window. */
export function topFor(index: number, { total, height }: Pick<View, 'total' | 'height'>): number {
  return total === 0 ? 0 : ((index + 0.5) / total) * farthest({ total, height })
}

/** How far to scroll in a window that is `height` px high now, to be as far into the log as before. */
export function kept(before: View, height: number): number {
  const most = farthest(before)
  return most === 0 ? 0 : (before.top / most) * farthest({ total: before.total, height })
}

/** How far to scroll so that what is drawn moves by `px`, where the lines around are `row` px high. */
export function stepFor(px: number, row: number, view: View): number {
  const most = farthest(view)
  const moved = row * view.total - view.height
  return most === 0 || moved <= 0 ? 0 : (px * most) / moved
}
