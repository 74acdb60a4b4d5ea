import type { Write } from '../../api/wire'

export const WRITE_WORDS: Record<Write, { title: string; words: string }> = {
  replace: { title: 'Replace', words: 'The new copy takes the place of the old one at once. Readers see one or the other, never a mixture.' },
  append: { title: 'Append', words: 'What was read is added below what is there. Nothing is changed and nothing removed.' },
  upsert: { title: 'Upsert', words: 'A row with a known key takes the place of the old one; others are added. Nothing is removed.' },
  mirror: { title: 'Mirror', words: 'As upsert; then the rows that the source no longer has are deleted.' },
}

type Row = 'kept' | 'new' | 'gone'

/** The destination's rows afterwards, from the top. The source has three: one it had before, one changed, one new. */
const AFTER: Record<Write, Row[]> = {
  replace: ['new', 'new', 'new'],
  append: ['kept', 'kept', 'new', 'new', 'new'],
  upsert: ['kept', 'new', 'new', 'new'],
  mirror: ['gone', 'new', 'new', 'new'],
}

const [WIDTH, HEIGHT, GAP] = [34, 6, 3]

/** What a write does, drawn: the source's rows at the left, the destination's rows afterwards at the right. */
export function WritePicture({ write }: { write: Write }) {
  return (
    <svg className="write-picture" viewBox="0 0 112 52" width="112" height="52" aria-hidden="true">
      {[0, 1, 2].map((row) => (
        <rect key={row} className="new" x={1} y={at(row, 3)} width={WIDTH} height={HEIGHT} rx="1.5" />
      ))}
      <path className="arrow" d="M42 26h22M59 21l5 5-5 5" />
      {AFTER[write].map((row, index, rows) => (
        <g key={index}>
          <rect className={row} x={73} y={at(index, rows.length)} width={WIDTH} height={HEIGHT} rx="1.5" />
          {row === 'gone' && <path className="strike" d={`M71 ${at(index, rows.length) + HEIGHT / 2}h${WIDTH + 4}`} />}
        </g>
      ))}
      {write === 'replace' && <path className="swap" d="M70 9h40v34h-40z" />}
    </svg>
  )
}

/** The top of a row, of so many that stand around the middle. */
function at(row: number, rows: number): number {
  return 26 - (rows * (HEIGHT + GAP) - GAP) / 2 + row * (HEIGHT + GAP)
}
