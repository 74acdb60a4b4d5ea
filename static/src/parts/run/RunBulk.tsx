import type { Bulk } from '../../api/bulk'
import type { Run } from '../../api/wire'
import { count, plural } from '../../format/number'
import { canRetry, firstLine, isActive } from '../../format/run'
import type { Deed } from '../Act'
import { Confirm } from '../Confirm'
import { Icon } from '../Icon'

export type ManyDeed = 'cancel' | 'retry'

interface RunBulkProps {
  chosen: Run[]
  bulk: Bulk<ManyDeed> | null
  /** How many of the rows are other than they are shown. */
  changed: number
  /** The runs of this page by id, to name those that refused. */
  names: ReadonlyMap<string, string>
  onDo: (deed: ManyDeed, ids: string[]) => void
  onRefresh: () => void
  onClear: () => void
}

/** What can be done with all runs that are chosen, and what came of it. */
export function RunBulk({ chosen, bulk, changed, names, onDo, onRefresh, onClear }: RunBulkProps) {
  const busy = bulk !== null && bulk.done < bulk.all
  const active = chosen.filter((run) => (isActive(run) && run.cancel === null) || run.state === 'held')
  const again = chosen.filter(canRetry)
  const deed = (name: ManyDeed, runs: Run[]): Deed => ({
    isPending: busy && bulk.deed === name,
    error: null,
    mutate: () => onDo(name, runs.map(({ id }) => id)),
  })
  return (
    <div className="bulk" role="region" aria-label="Selected runs">
      {chosen.length > 0 && (
        <>
          <strong>{plural(chosen.length, 'run')} selected</strong>
          {active.length > 0 && (
            <Confirm deed={deed('cancel', active)} label={`Cancel ${count(active.length)}`} busy="Cancelling…" look="danger" little disabled={busy}>
              Cancel {plural(active.length, 'run')}: {listed(active)}? What they wrote stays, and their checkpoints are kept.
            </Confirm>
          )}
          {again.length > 0 && (
            <Confirm deed={deed('retry', again)} label={`Retry ${count(again.length)}`} busy="Asking…" little disabled={busy}>
              Retry {plural(again.length, 'run')}: {listed(again)}? Each is a new run that goes on from the checkpoint; a job that has an
              active run refuses.
            </Confirm>
          )}
          <button type="button" className="button little bare" onClick={onClear}>
            Clear <kbd aria-hidden="true">Esc</kbd>
          </button>
          <span className="bulk-changed">
            {changed > 0 ? (
              <button type="button" className="button little" onClick={onRefresh}>
                <Icon name="again" size={13} /> {count(changed)} new or changed: show
              </button>
            ) : (
              <span className="muted">The list stands still while rows are selected.</span>
            )}
          </span>
        </>
      )}
      <p className={bulk?.failed.length ? 'bulk-said bad' : 'bulk-said muted'} role="status">
        {bulk && told(bulk, names)}
      </p>
    </div>
  )
}

const NAMED = 3

function listed(runs: readonly Run[]): string {
  const names = runs.slice(0, NAMED).map((run) => `${run.job_id} #${run.sequence}`)
  return runs.length > NAMED ? `${names.join(', ')} and ${count(runs.length - NAMED)} more` : names.join(', ')
}

export function told({ deed, all, done, failed }: Bulk<ManyDeed>, names: ReadonlyMap<string, string>): string {
  const doing = deed === 'cancel' ? 'Cancelling' : 'Retrying'
  if (done < all) return `${doing} ${plural(all, 'run')}: ${count(done)} done.`
  const well = all - failed.length
  const good = well > 0 ? `${deed === 'cancel' ? 'A cancel was asked for of' : 'A retry was queued of'} ${plural(well, 'run')}. ` : ''
  const bad = failed.map(({ id, why }) => `${names.get(id) ?? id}: ${firstLine(why)}`).join(' ')
  return `${good}${failed.length > 0 ? `${plural(failed.length, 'run')} refused. ${bad}` : ''}`.trim()
}
