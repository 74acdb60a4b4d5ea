import type { Fault } from '../../api/client'
import type { Json } from '../../forms/path'
import { SafetyFields } from '../../parts/form/SafetyFields'
import { ScheduleFields } from '../../parts/form/ScheduleFields'
import { SchedulePreview } from '../../parts/form/SchedulePreview'

interface StepProps {
  draft: Json
  faults: Fault[]
  onChange: (draft: Json) => void
}

/** When it runs, and what that means. */
export function When(props: StepProps) {
  return (
    <>
      <ScheduleFields {...props} />
      <SchedulePreview draft={props.draft} />
    </>
  )
}

/** What may go wrong, and what then happens. The defaults are safe. */
export function Safety(props: StepProps) {
  return (
    <>
      <p className="muted">Everything here has a safe default: go on if you are not sure.</p>
      <SafetyFields {...props} />
    </>
  )
}
