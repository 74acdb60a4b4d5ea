import '../styles/alerts.css'
import { useState, type ReactNode } from 'react'
import { useCreateAlert, useDraftAlertTest, useSaveAlert } from '../api/alerts'
import type { Alert, Format } from '../api/wire'
import { alertDocument, bodyOf, isReference, lacking, SHOWN, shownSecret, typedSecret, type AlertDocument } from '../forms/alert'
import { faultsOf, faultsUnder } from '../forms/faults'
import { clash, together } from '../forms/merge'
import { useAlertDraft } from '../forms/useAlertDraft'
import { hostOf, promiseOf } from '../format/alert'
import { Act } from '../parts/Act'
import { AlertTried } from '../parts/alerts/Tried'
import { AlertRules } from '../parts/form/AlertRules'
import { Choices } from '../parts/form/Choices'
import { ClashNotice } from '../parts/form/Clash'
import { CheckField, TextField } from '../parts/form/Field'
import { Refusal } from '../parts/form/Refusal'
import { SigningSecret } from '../parts/form/SigningSecret'
import { AlertJobs } from './AlertJobs'

const FORMATS: { value: Format; title: string; words: string }[] = [
  { value: 'json', title: 'A program', words: 'JSON with ids, links and errors, signed where you want, as Standard Webhooks says.' },
  { value: 'slack', title: 'A chat', words: 'Plain words with links, for Slack, Mattermost, Google Chat, and Discord with /slack behind its URL.' },
]

interface AlertFormProps {
  /** The one that is changed; null makes a new one. */
  alert: Alert | null
  onSaved: (alert: Alert) => void
  children?: ReactNode
}

/** An alert: entered, tried, saved over nothing but what was read. */
export function AlertForm({ alert, onSaved, children }: AlertFormProps) {
  const test = useDraftAlertTest()
  const create = useCreateAlert()
  const save = useSaveAlert(alert?.id ?? '')
  const busy = create.isPending || save.isPending
  const { id, draft, base, dirty, theirs, rename, edit, begin, forget } = useAlertDraft(alert, save.error, busy)
  const [wrong, setWrong] = useState<Record<string, string>>({})

  const failed = create.error ?? save.error ?? test.error
  const told = faultsOf(failed)
  const faults: Partial<Record<string, string>> = {
    ...Object.fromEntries(SHOWN.map((name) => [name, faultsUnder(told, name)[0]?.message])),
    ...wrong,
  }
  const host = draft.url === base.document.url ? (alert?.host ?? hostOf(draft.url)) : hostOf(draft.url)

  const settle = () => {
    setWrong({})
    for (const one of [test, create, save]) one.reset()
  }
  const change = (to: Partial<AlertDocument>) => {
    edit(to)
    settle()
  }
  const ready = (newId: string | null) => {
    const found = lacking(draft, newId)
    setWrong(found)
    return Object.keys(found).length === 0
  }
  const done = (saved: Alert) => {
    // A new one has a page of its own; of another, what was typed is now what is kept.
    if (alert === null) forget()
    else begin({ document: alertDocument(saved), revision: saved.revision })
    onSaved(saved)
  }
  const submit = () => {
    if (!ready(alert ? null : id)) return
    test.reset()
    const body = bodyOf(draft)
    if (alert === null) create.mutate({ ...body, id }, { onSuccess: done })
    else save.mutate({ body, revision: base.revision }, { onSuccess: done })
  }
  const tryIt = () => {
    if (ready(null)) test.mutate({ ...bodyOf(draft), ...(alert ? { id: alert.id } : {}) })
  }

  return (
    <form
      className="form alert-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      {theirs && (
        <ClashNotice
          what="alert"
          clash={clash(base.document, draft, theirs.document)}
          onMine={() => {
            settle()
            begin(theirs, together(base.document, draft, theirs.document) as AlertDocument)
          }}
          onTheirs={() => {
            settle()
            begin(theirs)
          }}
        />
      )}
      {alert === null && (
        <TextField
          label="Name"
          help="How it is called here and in its messages. It cannot be changed later."
          fault={faults.id}
          value={id}
          placeholder="team-chat"
          onChange={(to) => {
            rename(to)
            settle()
          }}
        />
      )}
      <Choices legend="Who reads it?" value={draft.format} options={FORMATS} fault={faults.format} onChange={(format) => change({ format })} />
      <TextField
        label="URL"
        mono
        fault={faults.url}
        value={shownSecret(draft.url, base.document.url)}
        placeholder={alert ? 'set — leave empty to keep it' : 'https://…'}
        onChange={(typed) => change({ url: typedSecret(typed, base.document.url) })}
        help={
          <>
            {host && (
              <>
                Goes to <strong>{host}</strong>.{' '}
              </>
            )}
            Whoever has it can write there: it is kept encrypted and never shown again. <code>{'${NAME}'}</code> stands for a variable of the server.
          </>
        }
      />
      {draft.format === 'json' && (
        <SigningSecret value={draft.secret} kept={base.document.secret} fault={faults.secret} onChange={(secret) => change({ secret })} />
      )}
      <AlertJobs value={draft.jobs} missing={alert?.missing_jobs ?? []} fault={faults.jobs} onChange={(jobs) => change({ jobs })} />
      <AlertRules draft={draft} faults={faults} onChange={change} />
      <CheckField
        label="On"
        help="While it is off nothing is sent, and what happens meanwhile is not told later."
        checked={draft.enabled}
        onChange={(enabled) => change({ enabled })}
      />
      <p className="promise" role="status">
        {promiseOf(draft, draft.jobs, host ?? (isReference(draft.url) ? draft.url.trim() : null))}
        {!draft.enabled && ' But it is off.'}
      </p>
      {failed && !theirs && <Refusal error={failed} shown={SHOWN} />}
      {test.data && <AlertTried result={test.data} />}
      <div className="actions form-actions">
        {children}
        {alert !== null && dirty && (
          <button
            type="button"
            className="button"
            onClick={() => {
              settle()
              begin(base)
            }}
          >
            Drop the changes
          </button>
        )}
        <Act deed={{ ...test, mutate: tryIt }} label="Send a test" busy="Sending…" />
        <button type="submit" className="button first" disabled={busy || theirs !== null || (alert !== null && !dirty)}>
          {busy ? 'Saving…' : alert ? 'Save' : 'Save alert'}
        </button>
      </div>
    </form>
  )
}
