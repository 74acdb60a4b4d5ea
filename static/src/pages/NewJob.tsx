import { useEffect, useRef } from 'react'
import { Link, useLocation } from 'wouter'
import { useAddress } from '../address'
import { runNow, useCreateJob, useFreeId } from '../api/job'
import { useRights } from '../api/session'
import { faultsOf, words } from '../forms/faults'
import type { Json } from '../forms/path'
import { missing, neighbour, reachable, STEPS, stepOf, stepOfFault, TITLES, type Step } from '../forms/steps'
import { Head } from '../parts/Head'
import { NotAllowed } from '../parts/NotAllowed'
import { Steps } from '../parts/form/Steps'
import { useStored } from '../stored'
import { End } from './newjob/End'
import { How } from './newjob/How'
import { Review } from './newjob/Review'
import { Safety, When } from './newjob/When'
import { What } from './newjob/What'

const EMPTY: Json = { schedule: { every: '15m' } }

/** `/new-job?step=`: a job in seven steps. What was entered outlives a reload; Back goes a step back. */
export function NewJob() {
  const { session, admin } = useRights()
  if (session && !admin) {
    return (
      <>
        <Head title="New job" crumbs={<Link href="/jobs">Jobs</Link>} />
        <NotAllowed what="make jobs" session={session} />
      </>
    )
  }
  return <Wizard />
}

function Wizard() {
  const [query, change] = useAddress()
  const [entered, setDraft, forget] = useStored<Json>('new job', EMPTY)
  const [, go] = useLocation()
  const create = useCreateJob()
  const asked = stepOf(query.get('step'))
  const step = reachable(asked, entered)
  // Who comes to a step too early is at the one that is lacking, and not swept on as soon as that is filled in.
  useEffect(() => {
    if (asked !== step) change({ step: step === 'source' ? null : step }, { replace: true })
  }, [asked, step, change])
  const suggestion = useFreeId(entered, step === 'review' && entered.id === undefined)
  const draft = entered.id === undefined && suggestion ? { ...entered, id: suggestion } : entered
  const faults = faultsOf(create.error)
  const heading = useFocusOnChange(step)

  const edit = (next: Json) => {
    if (create.error) create.reset()
    setDraft(next)
  }
  const to = (next: Step | null) => {
    if (next) change({ step: next === 'source' ? null : next })
  }
  const save = (enabled: boolean, run: boolean) =>
    create.mutate(enabled ? draft : { ...draft, enabled: false }, {
      onSuccess: (job) => {
        forget()
        if (!run) go(`/jobs/${job.id}`)
        // The job is there whether or not its first run is.
        else
          void runNow(job.id).then(
            (first) => go(`/runs/${first.id}`),
            () => go(`/jobs/${job.id}`),
          )
      },
      onError: (error) => to(faultsOf(error).map(stepOfFault)[0] ?? null),
    })

  const lacks = missing(step, draft)
  const here = faults.filter((fault) => stepOfFault(fault) === step)
  return (
    <>
      <Head title="New job" crumbs={<Link href="/jobs">Jobs</Link>} under="What to copy, from where to where, and when.">
        <button
          type="button"
          className="button"
          onClick={() => {
            forget()
            change({ step: null })
          }}
        >
          Start over
        </button>
      </Head>
      <div className="wizard">
        <Steps
          steps={STEPS.map((name) => ({
            name,
            title: TITLES[name],
            href: name === 'source' ? '/new-job' : `/new-job?step=${name}`,
            reachable: reachable(name, draft) === name,
            wrong: faults.some((fault) => stepOfFault(fault) === name),
          }))}
          chosen={step}
        />
        <section className="panel" aria-labelledby="step-title">
          <header>
            <h2 id="step-title" ref={heading} tabIndex={-1}>
              {TITLES[step]}
              <small>
                step {STEPS.indexOf(step) + 1} of {STEPS.length}
              </small>
            </h2>
          </header>
          <div className="panel-body form">
            {here.length > 0 && (
              <div className="fault-text" role="alert">
                {here.map((fault) => (
                  <p key={`${fault.field} ${fault.message}`}>{words(fault)}</p>
                ))}
              </div>
            )}
            {create.error && faults.length === 0 && (
              <p className="fault-text" role="alert">
                {create.error.message}
              </p>
            )}
            <Body step={step} draft={draft} faults={faults} onChange={edit} onNext={() => to(neighbour(step, 1))} />
          </div>
          <footer className="panel-foot wizard-foot">
            {neighbour(step, -1) ? (
              <button type="button" className="button" onClick={() => to(neighbour(step, -1))}>
                Back
              </button>
            ) : (
              <span />
            )}
            <span className="muted small" role="status">
              {lacks[0]}
            </span>
            {step === 'review' ? (
              <span className="actions">
                <button type="button" className="button" disabled={lacks.length > 0 || create.isPending} onClick={() => save(false, false)}>
                  Create paused
                </button>
                <button type="button" className="button first" disabled={lacks.length > 0 || create.isPending} onClick={() => save(true, true)}>
                  {create.isPending ? 'Creating…' : 'Create and run now'}
                </button>
              </span>
            ) : (
              <button type="button" className="button first" disabled={lacks.length > 0} onClick={() => to(neighbour(step, 1))}>
                Next
              </button>
            )}
          </footer>
        </section>
      </div>
    </>
  )
}

interface BodyProps {
  step: Step
  draft: Json
  faults: ReturnType<typeof faultsOf>
  onChange: (draft: Json) => void
  onNext: () => void
}

function Body({ step, onNext, ...props }: BodyProps) {
  switch (step) {
    case 'source':
    case 'destination':
      return <End key={step} end={step} onNext={onNext} {...props} />
    case 'streams':
      return <What {...props} />
    case 'write':
      return <How {...props} />
    case 'schedule':
      return <When {...props} />
    case 'safety':
      return <Safety {...props} />
    case 'review':
      return <Review {...props} />
  }
}

/** A new step is read out from its heading on; the first one leaves the focus where it is. */
function useFocusOnChange(step: Step) {
  const heading = useRef<HTMLHeadingElement>(null)
  const before = useRef(step)
  useEffect(() => {
    if (before.current !== step) heading.current?.focus()
    before.current = step
  }, [step])
  return heading
}
