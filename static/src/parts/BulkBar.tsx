import type { Bulk } from '../api/bulk'
import type { JobDeed } from '../api/queries'
import type { Job } from '../api/wire'
import { count, plural } from '../format/number'
import { firstLine, isActive } from '../format/run'
import { Icon, type IconName } from './Icon'

interface BulkBarProps {
  chosen: Job[]
  bulk: Bulk | null
  /** How many of the rows are other than they are shown. */
  changed: number
  onDo: (deed: JobDeed, ids: string[]) => void
  onRefresh: () => void
  onClear: () => void
}

/** What can be done with all that are chosen, and what came of it. */
export function BulkBar({ chosen, bulk, changed, onDo, onRefresh, onClear }: BulkBarProps) {
  const busy = bulk !== null && bulk.done < bulk.all
  const free = chosen.filter(({ last_run }) => !last_run || !(isActive(last_run) || last_run.state === 'held'))
  const deeds: [JobDeed, string, IconName, Job[]][] = [
    ['run', 'Run', 'play', free],
    ['disable', 'Pause', 'pause', chosen.filter((job) => job.enabled)],
    ['enable', 'Resume', 'resume', chosen.filter((job) => !job.enabled)],
  ]
  return (
    <div className="bulk" role="region" aria-label="Selected jobs">
      {chosen.length > 0 && (
        <>
          <strong>{plural(chosen.length, 'job')} selected</strong>
          {deeds
            .filter(([, , , jobs]) => jobs.length > 0)
            .map(([deed, label, icon, jobs]) => (
              <button
                key={deed}
                type="button"
                className="button little"
                disabled={busy}
                onClick={() => onDo(deed, jobs.map(({ id }) => id))}
              >
                <Icon name={icon} size={13} /> {label} {count(jobs.length)}
              </button>
            ))}
          <button type="button" className="button little bare" onClick={onClear}>
            Clear <kbd aria-hidden="true">Esc</kbd>
          </button>
          <span className="bulk-changed">
            {changed > 0 ? (
              <button type="button" className="button little" onClick={onRefresh}>
                <Icon name="again" size={13} /> {count(changed)} changed: refresh
              </button>
            ) : (
              <span className="muted">The list stands still while rows are selected.</span>
            )}
          </span>
        </>
      )}
      <p className={bulk?.failed.length ? 'bulk-said bad' : 'bulk-said muted'} role="status">
        {bulk && words(bulk)}
      </p>
    </div>
  )
}

const DOING: Record<JobDeed, string> = { run: 'Asking for a run of', enable: 'Resuming', disable: 'Pausing' }
const DONE: Record<JobDeed, string> = { run: 'A run was asked for of', enable: 'Resumed', disable: 'Paused' }

function words({ deed, all, done, failed }: Bulk): string {
  if (done < all) return `${DOING[deed]} ${plural(all, 'job')}: ${count(done)} done.`
  const well = all - failed.length
  const good = well > 0 ? `${DONE[deed]} ${plural(well, 'job')}. ` : ''
  const bad = failed.map(({ id, why }) => `${id}: ${firstLine(why)}`).join(' ')
  return `${good}${failed.length > 0 ? `${plural(failed.length, 'job')} refused. ${bad}` : ''}`.trim()
}
