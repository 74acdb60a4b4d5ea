import { Link } from 'wouter'
import { useDemo } from '../api/demo'
import { useRights } from '../api/session'
import { Act, Said } from '../parts/Act'
import { Blank } from '../parts/Blank'

/** There is no job at all: what one is, and how to make the first. */
export function NoJobs() {
  const { admin } = useRights()
  const demo = useDemo()
  return (
    <Blank icon="jobs" title="No jobs yet">
      <p>A job says what to copy, from where to where, and when. From then on it runs by itself, and this page shows how it goes.</p>
      {admin && (
        <div className="actions">
          <Link href="/new-job" className="button first">
            Make a job
          </Link>
          <Act deed={demo} label="Look at a demo" busy="Making the demo…" icon="play" />
        </div>
      )}
      <Said deeds={[demo]} />
      <p className="small">
        The demo is a small shop in SQLite, copied each minute; you can delete it like any other job. Or write a file, and apply it:{' '}
        <code>syncworker apply jobs.yaml</code>
      </p>
    </Blank>
  )
}

export function NoRuns() {
  return (
    <Blank icon="runs" title="No runs yet">
      <p>Every fire time of a job, and every run that you ask for, will be listed here.</p>
    </Blank>
  )
}
