import type { Run, Usual } from '../../api/wire'
import { useNow } from '../../format/now'
import { totals } from '../../format/run'
import { adviceOf, STAGE_MEANS, STAGE_WORDS, STAGES, sum, total, usualShares, whole, type Shares } from '../../format/spent'
import { shares, stepsOf } from '../../format/steps'
import { duration } from '../../format/time'

interface SpentProps {
  run: Run
  /** Null while it is not known. */
  usual: Usual | null
}

/** Where the time of a run went, in all and by stream, beside what is usual. */
export function SpentTable({ run, usual }: SpentProps) {
  const now = useNow()
  const time = shares(run, stepsOf(run), now)
  const { shares: spent, sideBySide } = whole(run, time.worked / 1000, (time.waited + time.paused) / 1000)
  const itself = run.state === 'succeeded'
  const before = usual && !(itself && usual.runs === 1) ? usualShares(usual) : null
  const most = Math.max(...STAGES.map((stage) => Math.max(spent[stage], before?.[stage] ?? 0)), 0.001)
  const streams = Object.entries(run.progress)
  return (
    <>
      <div className="panel-body">
        <SpentBar spent={spent} label="The whole run" />
        {usual && <p className="advice">{adviceOf({ shares: spent, usual, rows: totals(run.progress).written, state: run.state })}</p>}
        {sideBySide && <p className="muted small">Its streams worked side by side: together they spent more time than passed.</p>}
      </div>
      <table aria-label="Where the time went">
        <thead>
          <tr>
            <th scope="col">Spent on</th>
            <th scope="col" className="number">
              This run
            </th>
            {before && (
              <th scope="col" className="number">
                Usually
              </th>
            )}
            <th scope="col" className="mid spent-cell">
              <span className="hidden">Compared</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {STAGES.map((stage) => (
            <tr key={stage}>
              <th scope="row">
                <span className={`key spent-${stage}`}>{STAGE_WORDS[stage]}</span>
                <span className="under">{STAGE_MEANS[stage]}</span>
              </th>
              <td className="number">{duration(spent[stage])}</td>
              {before && <td className="number muted">{stage === 'waiting' ? '–' : duration(before[stage])}</td>}
              <td className="mid spent-cell">
                <span className="spent-lines" aria-hidden="true">
                  {spent[stage] > 0 && <span className={`spent-${stage}`} style={{ '--share': spent[stage] / most }} />}
                  {before && <span className="before" style={{ '--share': before[stage] / most }} />}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {streams.length > 1 && (
        <details className="panel-body">
          <summary>By stream</summary>
          <ul className="spent-streams">
            {streams.map(([name, stream]) => (
              <li key={name}>
                <SpentBar spent={{ ...stream.spent, other: 0, waiting: 0 }} label={name} usual={usualOf(usual, name)} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

function usualOf(usual: Usual | null, stream: string): number | null {
  const known = usual?.streams[stream]
  return known ? sum(known.spent) : null
}

/** One band of all stages, told in words too. */
function SpentBar({ spent, label, usual = null }: { spent: Shares; label: string; usual?: number | null }) {
  const all = total(spent)
  const told = STAGES.filter((stage) => spent[stage] >= 0.0005).map((stage) => `${STAGE_WORDS[stage]} ${duration(spent[stage])}`)
  return (
    <figure className="band">
      <figcaption>
        <strong>{label}</strong> {duration(all)}
        {usual !== null && <span className="muted">, usually {duration(usual)}</span>}
      </figcaption>
      <span className="band-bar" role="img" aria-label={told.join(', ') || 'No time was spent yet'}>
        {all > 0 &&
          STAGES.filter((stage) => spent[stage] > 0).map((stage) => (
            <span
              key={stage}
              className={`spent-${stage}`}
              title={`${STAGE_WORDS[stage]}: ${duration(spent[stage])}`}
              style={{ '--share': spent[stage] / all }}
            />
          ))}
      </span>
    </figure>
  )
}
