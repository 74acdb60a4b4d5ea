import { useDrain } from '../api/run'
import { useRights } from '../api/session'
import type { Instance } from '../api/wire'
import { plural } from '../format/number'
import { Act, Said } from '../parts/Act'
import { Confirm } from '../parts/Confirm'

interface DrainDeedProps {
  instance: Instance
  leads: boolean
  /** How many others could take over. */
  others: number
}

/** Let an instance work off what it has, or take it back into service. */
export function DrainDeed({ instance, leads, others }: DrainDeedProps) {
  const { operate } = useRights()
  const drain = useDrain(instance.id, 'drain')
  const undrain = useDrain(instance.id, 'undrain')
  if (!operate || !instance.live || (instance.slots === 0 && !leads)) return null
  const name = `${instance.host}, pid ${instance.pid}`
  return (
    <div className="actions">
      {instance.draining ? (
        <Act deed={undrain} label="Back into service" busy="Asking…" icon="play" little of={name} />
      ) : (
        <Confirm deed={drain} label="Drain" busy="Asking…" little of={name}>
          <p>
            Drain {name}?{' '}
            {instance.active_runs.length > 0
              ? `The ${plural(instance.active_runs.length, 'run')} it works on go on to their end; it`
              : 'It works on nothing now and'}{' '}
            takes no new ones{leads && ', and hands the lease to another'}.
          </p>
          {others === 0 && <p className="bad">It is the only one: until it is back in service nothing is scheduled and nothing runs.</p>}
        </Confirm>
      )}
      <Said deeds={[drain, undrain]} />
    </div>
  )
}
