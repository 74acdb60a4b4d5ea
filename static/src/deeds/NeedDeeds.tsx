import { Link } from 'wouter'
import { useJobDeed } from '../api/queries'
import type { Need, Run } from '../api/wire'
import { Act, Said } from '../parts/Act'
import { RunDeeds } from './RunDeeds'

/** What mends a need: the deed of its run, a run of its job, or the place where its fault is edited. */
export function NeedDeeds({ need }: { need: Need }) {
  const { deed, run, job_id, field } = need
  switch (deed) {
    case 'approve':
    case 'retry':
    case 'wait':
      return run ? <RunDeeds run={run} little /> : null
    case 'run':
      return <RunNow job={job_id} />
    case 'edit_job':
    case 'edit_connection':
      return (
        <div className="actions">
          <Link className="button little first" href={placeOf(need)}>
            {deed === 'edit_job' ? 'Edit the job' : 'Edit the connection'}
            {field && <span className="hidden"> at {field}</span>}
          </Link>
          {run && <RunDeeds run={run} little />}
        </div>
      )
  }
}

function placeOf({ deed, job_id, field }: Need): string {
  const at = field ? `&field=${encodeURIComponent(field)}` : ''
  return deed === 'edit_job' ? `/jobs/${job_id}?tab=settings${at}` : `/connections?job=${job_id}${at}`
}

function RunNow({ job }: { job: string }) {
  const run = useJobDeed<Run>(job, 'run')
  return (
    <div className="actions">
      <Act deed={run} label="Run now" busy="Asking…" icon="play" little of={job} />
      <Said deeds={[run]}>{run.data && <Link href={`/runs/${run.data.id}`}>Run #{run.data.sequence}</Link>}</Said>
    </div>
  )
}
