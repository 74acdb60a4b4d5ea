import '../styles/forms.css'
import type { Column } from '../api/wire'

const LONGEST = 80

interface RowsProps {
  label: string
  columns: readonly string[]
  rows: readonly Record<string, unknown>[]
  types?: readonly Column[]
}

/** Some rows as a table that scrolls within itself. */
export function Rows({ label, columns, rows, types = [] }: RowsProps) {
  const typeOf = new Map(types.map(({ name, type }) => [name, type]))
  return (
    <div className="table-box" tabIndex={0} role="region" aria-label={label}>
      <table aria-label={label} className="rows">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
                {typeOf.has(column) && <span className="under">{typeOf.get(column)}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {columns.map((column) => (
                <Cell key={column} value={row[column]} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Cell({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <td className="muted">null</td>
  if (typeof value === 'number') return <td className="number">{value}</td>
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return <td title={text.length > LONGEST ? text : undefined}>{text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text}</td>
}
