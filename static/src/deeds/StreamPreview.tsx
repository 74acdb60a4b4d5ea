import { usePreview } from '../api/connections'
import type { Stream } from '../api/wire'
import { Loaded } from '../parts/Loaded'
import { Rows } from '../parts/Rows'

/** The first rows of a stream; its columns alone where it has none. */
export function StreamPreview({ connection, stream }: { connection: string; stream: Stream }) {
  const preview = usePreview(connection, stream.name)
  return (
    <div className="stream-preview">
      <Loaded asked={preview} lines={3}>
        {({ columns, rows }) =>
          rows.length === 0 ? (
            <p className="muted">It has no rows{stream.columns.length > 0 && `; its columns: ${stream.columns.map(({ name, type }) => `${name} (${type})`).join(', ')}`}.</p>
          ) : (
            <Rows label={`First rows of ${stream.name}`} columns={columns} rows={rows} types={stream.columns} />
          )
        }
      </Loaded>
    </div>
  )
}
