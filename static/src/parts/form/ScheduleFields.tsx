import type { Fault } from '../../api/client'
import { faultAt } from '../../forms/faults'
import { get, put, text, type Json } from '../../forms/path'
import { HERE, zones } from '../../format/zone'
import { Choices } from './Choices'
import { FaultText, TextField } from './Field'

type Way = 'every' | 'cron' | 'hand'

const EVERY = ['1m', '5m', '15m', '30m', '1h', '6h', '12h', '1d']
const CRONS: [cron: string, words: string][] = [
  ['0 * * * *', 'every full hour'],
  ['0 6 * * *', 'daily at 06:00'],
  ['30 22 * * 1-5', 'Monday to Friday at 22:30'],
  ['0 3 * * 0', 'Sundays at 03:00'],
  ['0 4 1 * *', 'on the 1st at 04:00'],
]

interface ScheduleFieldsProps {
  draft: Json
  faults: Fault[]
  onChange: (draft: Json) => void
  disabled?: boolean
}

export function wayOf(draft: Json): Way {
  if (get(draft, 'schedule') === undefined) return 'hand'
  return get(draft, 'schedule.cron') === undefined ? 'every' : 'cron'
}

/** When a job fires: at an interval, by cron, or never by itself. */
export function ScheduleFields({ draft, faults, onChange, disabled = false }: ScheduleFieldsProps) {
  const way = wayOf(draft)
  const set = (field: string, value: string) => onChange(put(draft, `schedule.${field}`, value === '' ? undefined : value))
  const choose = (to: Way) => {
    if (to === 'hand') onChange(put(draft, 'schedule', undefined))
    else if (to === 'every') onChange(put(draft, 'schedule', { every: '15m' }))
    else onChange(put(draft, 'schedule', { cron: '0 6 * * *', ...(HERE === 'UTC' ? {} : { timezone: HERE }) }))
  }
  return (
    <>
      <Choices
        legend="When it runs"
        value={way}
        disabled={disabled}
        options={[
          { value: 'every', title: 'At an interval', words: 'At whole multiples of it: 15m is at :00, :15, :30, :45.' },
          { value: 'cron', title: 'By the clock', words: 'A cron expression, in a time zone of your choice.' },
          { value: 'hand', title: 'By hand only', words: 'Someone, or a program, asks for each run.' },
        ]}
        onChange={choose}
      />
      {faultAt(faults, 'schedule') && <FaultText>The schedule {faultAt(faults, 'schedule')}</FaultText>}
      {way === 'every' && (
        <div className="fields">
          <TextField
            label="Every"
            help="Such as 30s, 15m, 1h30m, 1d."
            fault={faultAt(faults, 'schedule.every')}
            value={text(draft, 'schedule.every')}
            onChange={(value) => onChange(put(draft, 'schedule', { ...rest(draft), every: value }))}
            list={EVERY}
            disabled={disabled}
          />
        </div>
      )}
      {way === 'cron' && (
        <div className="fields">
          <TextField
            label="Cron"
            help="Minute, hour, day of the month, month, day of the week."
            fault={faultAt(faults, 'schedule.cron')}
            value={text(draft, 'schedule.cron')}
            onChange={(value) => onChange(put(draft, 'schedule', { ...rest(draft), cron: value }))}
            disabled={disabled}
            mono
          />
          <TextField
            label="Time zone"
            help={`Empty is UTC; you are in ${HERE}.`}
            fault={faultAt(faults, 'schedule.timezone')}
            value={text(draft, 'schedule.timezone')}
            onChange={(value) => set('timezone', value)}
            list={zones()}
            placeholder="UTC"
            disabled={disabled}
          />
          <div className="presets" role="group" aria-label="Common schedules">
            {CRONS.map(([cron, words]) => (
              <button key={cron} type="button" className="button little" disabled={disabled} onClick={() => set('cron', cron)}>
                {words}
              </button>
            ))}
          </div>
        </div>
      )}
      {way !== 'hand' && (text(draft, 'schedule.jitter') || faultAt(faults, 'schedule.jitter')) && (
        <div className="fields">
          <TextField
            label="Jitter"
            help="Fire times of many jobs are spread over this much."
            fault={faultAt(faults, 'schedule.jitter')}
            value={text(draft, 'schedule.jitter')}
            onChange={(value) => set('jitter', value)}
            disabled={disabled}
          />
        </div>
      )}
    </>
  )
}

/** The schedule without what says when: an empty field must stay a field, and not become "by hand". */
function rest(draft: Json): Json {
  const schedule = get(draft, 'schedule') as Json | undefined
  return Object.fromEntries(Object.entries(schedule ?? {}).filter(([name]) => name !== 'every' && name !== 'cron'))
}
