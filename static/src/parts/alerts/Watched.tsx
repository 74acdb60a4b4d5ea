import { Fragment } from 'react'
import { Link } from 'wouter'
import { count } from '../../format/number'

/** Of more jobs than these the rest is counted. */
const NAMED = 3

/** The jobs that an alert is about; those that are not there any more say so. */
export function Watched({ jobs, missing, all = false }: { jobs: string[] | null; missing: string[]; all?: boolean }) {
  if (jobs === null) return <>all jobs</>
  const named = all ? jobs : jobs.slice(0, NAMED)
  const gone = new Set(missing)
  const rest = jobs.length - named.length
  const unseen = missing.filter((job) => !named.includes(job)).length
  return (
    <>
      {named.map((job, index) => (
        <Fragment key={job}>
          {index > 0 && ', '}
          {gone.has(job) ? (
            <>
              {job} <span className="tag wait">gone</span>
            </>
          ) : (
            <Link href={`/jobs/${job}`}>{job}</Link>
          )}
        </Fragment>
      ))}
      {rest > 0 && ` and ${count(rest)} more`}
      {unseen > 0 && ` (${count(unseen)} of them gone)`}
    </>
  )
}
