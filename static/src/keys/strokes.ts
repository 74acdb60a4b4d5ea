/** Which keys mean what, everywhere in the dashboard. */

export type Command =
  | { does: 'go'; to: string }
  | { does: 'move'; by: 1 | -1 }
  | { does: 'search' | 'help' | 'palette' | 'open' | 'select' | 'run' | 'clear' }

/** What follows `g`. */
const PLACES: Record<string, string> = {
  o: '/',
  j: '/jobs',
  r: '/runs',
  c: '/connections',
  i: '/instances',
  s: '/settings',
}

const SINGLE: Record<string, Command> = {
  j: { does: 'move', by: 1 },
  k: { does: 'move', by: -1 },
  '/': { does: 'search' },
  '?': { does: 'help' },
  x: { does: 'select' },
  '.': { does: 'run' },
  Enter: { does: 'open' },
  Escape: { does: 'clear' },
}

/** So long `g` waits for its second key, in ms. */
export const PATIENCE_MS = 1_500

export interface Stroke {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
}

/** What a key means after the ones before it; `waiting` where it is the first of two. */
export function meaning(stroke: Stroke, waiting: boolean): { command: Command | null; waiting: boolean } {
  if ((stroke.ctrlKey || stroke.metaKey) && !stroke.altKey && stroke.key.toLowerCase() === 'k') {
    return { command: { does: 'palette' }, waiting: false }
  }
  // The rest of what is pressed with these is the browser's, the system's, or a screen reader's.
  if (stroke.ctrlKey || stroke.metaKey || stroke.altKey) return { command: null, waiting: false }
  if (waiting) {
    const to = PLACES[stroke.key]
    return { command: to === undefined ? null : { does: 'go', to }, waiting: false }
  }
  if (stroke.key === 'g') return { command: null, waiting: true }
  return { command: SINGLE[stroke.key] ?? null, waiting: false }
}

/** For the help: keys as they are pressed, and what they do. */
export const HELP: [title: string, keys: [keys: string[], what: string][]][] = [
  [
    'Go to',
    [
      [['g', 'o'], 'Overview'],
      [['g', 'j'], 'Jobs'],
      [['g', 'r'], 'Runs'],
      [['g', 'c'], 'Connections'],
      [['g', 'i'], 'Instances'],
      [['g', 's'], 'Settings'],
    ],
  ],
  [
    'In a list',
    [
      [['j'], 'Next row'],
      [['k'], 'Row before'],
      [['Enter'], 'Open the row'],
      [['x'], 'Select the row, or let it go'],
      [['.'], 'Run the job of the row, or of the page'],
      [['Esc'], 'Let go of what is selected, close what is open'],
    ],
  ],
  [
    'Anywhere',
    [
      [['/'], 'Search'],
      [['Ctrl', 'K'], 'Find a page, a job or an action (on a Mac: Cmd K)'],
      [['?'], 'Show these keys'],
    ],
  ],
]
