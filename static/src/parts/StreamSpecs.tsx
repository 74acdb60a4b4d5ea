import type { StreamSpec } from '../api/wire'

/** What a job moves, stream by stream. */
export function StreamSpecs({ streams }: { streams: StreamSpec[] }) {
  return (
    <table aria-label="Streams of the job">
      <thead>
        <tr>
          <th scope="col">Stream</th>
          <th scope="col">Reads</th>
          <th scope="col">Writes</th>
          <th scope="col" className="mid">
            Key
          </th>
          <th scope="col" className="mid">
            Cursor
          </th>
        </tr>
      </thead>
      <tbody>
        {streams.map((stream) => (
          <tr key={stream.name}>
            <th scope="row">
              <span className="primary">{stream.name}</span>
              {stream.target && stream.target !== stream.name && <span className="under">into {stream.target}</span>}
            </th>
            <td>{stream.mode}</td>
            <td>{stream.write}</td>
            <td className="mid">{stream.key.length > 0 ? <code>{stream.key.join(', ')}</code> : <span className="muted">–</span>}</td>
            <td className="mid">{stream.cursor ? <code>{stream.cursor}</code> : <span className="muted">–</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
