import { Blank } from '../parts/Blank'

/** There is no job at all: how to make the first. */
export function NoJobs() {
  return (
    <Blank icon="jobs" title="No jobs yet">
      <p>A job says what to copy, from where to where, and when. Write one into a file and apply it:</p>
      <pre>syncworker apply examples/quickstart.yaml</pre>
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
