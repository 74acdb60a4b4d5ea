import { useQuery } from '@tanstack/react-query'
import type { Fault } from '../../api/client'
import { printYaml } from '../../api/declaration'
import { useSchedulePreview } from '../../api/job'
import { faultAt } from '../../forms/faults'
import { put, text, type Json } from '../../forms/path'
import { sentenceOf } from '../../forms/sentence'
import { isId } from '../../forms/steps'
import { Copy } from '../../parts/Copy'
import { TextField } from '../../parts/form/Field'
import { questionOf } from '../../parts/form/SchedulePreview'
import { Loaded } from '../../parts/Loaded'

interface ReviewProps {
  draft: Json
  faults: Fault[]
  onChange: (draft: Json) => void
}

/** What will happen, in one sentence; the name; and the job as a file would say it. */
export function Review({ draft, faults, onChange }: ReviewProps) {
  const preview = useSchedulePreview(questionOf(draft, 1))
  const id = text(draft, 'id')
  const scheduled = questionOf(draft, 1) !== null
  return (
    <>
      <p className="promise">{sentenceOf(draft, scheduled ? (preview.data?.words ?? '…') : null)}</p>
      <TextField
        label="Name of the job"
        help="Small letters, digits, - and _. It cannot be changed later."
        fault={faultAt(faults, 'id') ?? (id && !isId(id) ? 'has other characters than small letters, digits, - and _' : undefined)}
        value={id}
        onChange={(value) => onChange(put(draft, 'id', value))}
      />
      <AsYaml id={id} draft={draft} />
    </>
  )
}

function AsYaml({ id, draft }: { id: string; draft: Json }) {
  const job = put(draft, 'id', undefined)
  const printed = useQuery({
    queryKey: ['printed', id, job],
    queryFn: ({ signal }) => printYaml(id, job, signal),
    enabled: isId(id),
    refetchInterval: false,
    retry: false,
    placeholderData: (before) => before,
  })
  return (
    <section className="as-yaml" aria-label="The job as YAML">
      <header>
        <h3>The same, for a file</h3>
        {printed.data && <Copy text={printed.data} label="Copy the YAML" />}
      </header>
      {isId(id) && (
        <Loaded asked={printed} lines={5}>
          {(yaml) => <pre tabIndex={0}>{yaml}</pre>}
        </Loaded>
      )}
    </section>
  )
}
