import type { Note } from '../api/wire'
import { inZone, shownZones } from '../format/zone'
import { Time } from './Time'

interface FireTimesProps {
  times: string[]
  notes: Note[]
  zone: string
  label: string
}

/** Fire times in the job's zone, the viewer's and UTC; those that a clock change touches say so. */
export function FireTimesTable({ times, notes, zone, label }: FireTimesProps) {
  const columns = shownZones(zone)
  const noted = new Map(notes.map(({ fire_time, note }) => [Date.parse(fire_time), note]))
  return (
    <table aria-label={label} className="fire-times">
      <thead>
        <tr>
          {columns.map(({ zone: one, label: whose }, index) => (
            <th key={one} scope="col" className={index > 0 ? 'mid' : undefined}>
              {one} {whose && `(${whose})`}
            </th>
          ))}
          <th scope="col" className="number">
            <span className="hidden">From now</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {times.map((at) => {
          const note = noted.get(Date.parse(at))
          return (
            <tr key={at}>
              {columns.map(({ zone: one }, index) => (
                <td key={one} className={index > 0 ? 'mid' : undefined}>
                  <time dateTime={at}>{inZone(at, one)}</time>
                  {index === 0 && note && (
                    <span className="under clock-note">
                      <span className="tag wait">clock change</span> {note}
                    </span>
                  )}
                </td>
              ))}
              <td className="number muted">
                <Time at={at} />
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
