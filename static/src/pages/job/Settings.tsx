import { useEffect, useState } from 'react'
import { useAddress } from '../../address'
import { ApiError, type Fault } from '../../api/client'
import { useStreams } from '../../api/connections'
import { useDryRun, useSaveJob } from '../../api/job'
import { useConnections } from '../../api/queries'
import { useRights } from '../../api/session'
import type { Job } from '../../api/wire'
import { faultsElsewhere, faultsOf, words } from '../../forms/faults'
import { documentOf, same } from '../../forms/job'
import { clash, together } from '../../forms/merge'
import { isMapping, text, type Json } from '../../forms/path'
import { placeOf } from '../../forms/place'
import { useTwoSides } from '../../forms/useTwoSides'
import { useStored } from '../../stored'
import { firstLine } from '../../format/run'
import { Act, Said } from '../../parts/Act'
import { ClashNotice } from '../../parts/form/Clash'
import { JobFields, SHOWN } from '../../parts/form/JobFields'
import { Yaml } from '../../parts/form/Yaml'
import { Outlook } from '../../parts/Outlook'
import { Panel } from '../../parts/Panel'

/** The job as a form and as YAML, side by side; saved only over what was read. */
export function SettingsTab({ job }: { job: Job }) {
  // An edit that was not saved outlives another tab, and a reload.
  const [kept, keep, forget] = useStored<Kept | null>(`job ${job.id}`, null)
  // What was read when the editing began: its revision is the one that is replaced.
  const [base, setBase] = useState<Saved>(kept ?? { document: documentOf(job), revision: job.revision })
  const [savedAs, setSavedAs] = useState<number | null>(null)
  const { admin, operate } = useRights()
  const sides = useTwoSides(job.id, kept?.draft ?? base.document)
  const connections = useConnections()
  const streams = useStreams(text(sides.draft, 'source') || null, operate)
  const save = useSaveJob(job.id)
  const dry = useDryRun(job.id)

  const locked = job.owner !== null || !admin
  const dirty = !same(sides.draft, base.document)
  // While ours is on its way, a newer one is likely to be ours.
  const theirs = save.isPending ? null : theirsOf(save.error, job, base.revision)
  useEffect(() => {
    if (dirty) keep({ ...base, draft: sides.draft })
    else forget()
  }, [dirty, base, sides.draft, keep, forget])
  const begin = (document: Json, revision: number, edited: Json = document) => {
    setBase({ document, revision })
    save.reset()
    sides.restart(edited)
  }
  // Nobody edits here: what others save is simply shown.
  if (theirs && !dirty) begin(theirs.document, theirs.revision)

  const submit = () =>
    save.mutate(
      { draft: sides.draft, revision: base.revision },
      {
        onSuccess: (saved) => {
          begin(documentOf(saved), saved.revision)
          setSavedAs(saved.revision)
        },
      },
    )
  const pointed = usePointed(job, sides.draft, sides.text !== '')
  const faults = [...sides.faults, ...faultsOf(save.error), ...pointed]
  const elsewhere = faultsElsewhere(faults, SHOWN)
  const wrong = sides.placed.length > 0 || sides.faults.length > 0

  return (
    <>
      {job.owner !== null ? (
        <p className="notice calm">
          <strong>{job.owner}</strong> says what this job is: change it there. Here it is only shown.
        </p>
      ) : (
        !admin && <p className="notice calm">You may look at the settings; changing them needs the scope admin.</p>
      )}
      {theirs && dirty && (
        <ClashNotice
          clash={clash(base.document, sides.draft, theirs.document)}
          onMine={() => begin(theirs.document, theirs.revision, together(base.document, sides.draft, theirs.document))}
          onTheirs={() => begin(theirs.document, theirs.revision)}
        />
      )}
      <div className="two-sides">
        <Panel title="As a form">
          <div className="panel-body form">
            {elsewhere.length > 0 && (
              <div className="fault-text" role="alert">
                {elsewhere.map((fault) => (
                  <p key={`${fault.field} ${fault.message}`}>{words(fault)}</p>
                ))}
              </div>
            )}
            <JobFields
              draft={sides.draft}
              faults={faults}
              disabled={locked}
              connections={connections.data?.items.map(({ id }) => id) ?? []}
              streams={streams.data ?? []}
              job={job}
              onChange={sides.editForm}
            />
          </div>
        </Panel>
        <Panel title="As YAML" note={sides.behind ? 'catching up…' : 'what the file would say'}>
          <Yaml value={sides.text} faults={sides.placed} disabled={locked} onChange={sides.editText} />
          {sides.failure && <p className="fault-text panel-body">{sides.failure}</p>}
          {sides.faults.length > 0 && (
            <p className="muted small panel-body">The YAML follows again when the fields of the form are mended.</p>
          )}
        </Panel>
      </div>
      <div className="save-bar">
        <span className="muted small" role="status">
          {wrong ? 'It has faults, and cannot be saved.' : dirty ? 'Changed, and not saved yet.' : `${savedAs === base.revision ? 'Saved as revision' : 'Revision'} ${base.revision}`}
        </span>
        <div className="actions">
          {operate && (
            <Act
              deed={{ ...dry, mutate: () => dry.mutate(dirty && admin ? sides.draft : null) }}
              label={dirty && admin ? 'Dry run of this draft' : 'Dry run'}
              busy="Looking…"
              disabled={wrong || sides.behind}
            />
          )}
          {!locked && (dirty || wrong) && (
            <button type="button" className="button" onClick={() => sides.restart(base.document)}>
              Drop the changes
            </button>
          )}
          {!locked && (
            <Act
              deed={{ ...save, mutate: submit }}
              label="Save"
              busy="Saving…"
              look="first"
              disabled={!dirty || wrong || sides.behind || theirs !== null}
            />
          )}
        </div>
        <Said deeds={[dry]} />
        {save.error && !theirs && faultsOf(save.error).length === 0 && (
          <p className="said bad" role="alert">
            {save.error.message}
          </p>
        )}
      </div>
      {dry.data && (
        <Panel title="Dry run" note={`of the ${dirty ? 'draft' : 'job as it is saved'}`}>
          <div className="panel-body">
            <Outlook found={dry.data} />
          </div>
        </Panel>
      )}
    </>
  )
}

interface Saved {
  document: Json
  revision: number
}

interface Kept extends Saved {
  draft: Json
}

/** `?field=`: the place that the last run failed at, which is what somebody came here for. */
function usePointed(job: Job, draft: Json, ready: boolean): Fault[] {
  const [query] = useAddress()
  const named = query.get('field')
  const error = job.last_run?.error
  const there = ready && named !== null && error != null
  useEffect(() => {
    if (there) document.querySelector('.form .fault-text')?.scrollIntoView({ block: 'center' })
  }, [there, named])
  return there ? [{ field: placeOf(named, draft), message: `is what the last run failed at: ${firstLine(error.message)}` }] : []
}

/** The job as somebody else saved it since: as the refusal tells it, or as the page has heard already. */
function theirsOf(error: Error | null, job: Job, revision: number): Saved | null {
  if (error instanceof ApiError && error.status === 412 && isMapping(error.problem.current)) {
    const current = error.problem.current as unknown as Job
    if (current.revision > revision) return { document: documentOf(current), revision: current.revision }
  }
  return job.revision > revision ? { document: documentOf(job), revision: job.revision } : null
}
