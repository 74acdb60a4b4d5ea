/** An alert while it is edited: what was read, what is typed, and what somebody else saved meanwhile. */
import { useState } from 'react'
import { ApiError } from '../api/client'
import type { Alert } from '../api/wire'
import { useStored } from '../stored'
import { alertDocument, NEW, storable, type AlertDocument } from './alert'
import { same } from './job'
import { isMapping } from './path'

interface Saved {
  document: AlertDocument
  revision: number
}

interface Kept extends Saved {
  id: string
  draft: AlertDocument
}

export interface AlertDraft {
  id: string
  draft: AlertDocument
  /** What was read: its revision is the one that is replaced. */
  base: Saved
  dirty: boolean
  /** As somebody else saved it since. */
  theirs: Saved | null
  rename: (id: string) => void
  edit: (change: Partial<AlertDocument>) => void
  /** Begin anew from what is saved, with or without what was typed. */
  begin: (saved: Saved, draft?: AlertDocument) => void
  forget: () => void
}

/** `refused` is why it could not be saved; `busy` while it is being saved, when a newer one is likely to be ours. */
export function useAlertDraft(alert: Alert | null, refused: Error | null, busy: boolean): AlertDraft {
  const [kept, keep, forget] = useStored<Kept | null>(alert ? `alert ${alert.id}` : 'new alert', null)
  const [base, setBase] = useState<Saved>(kept ?? { document: alert ? alertDocument(alert) : NEW, revision: alert?.revision ?? 0 })
  const [draft, setDraft] = useState(kept?.draft ?? base.document)
  const [id, setId] = useState(kept?.id ?? alert?.id ?? '')
  const dirty = !same(draft, base.document)
  const theirs = alert === null || busy ? null : newer(refused, alert, base.revision)

  const begin = (saved: Saved, edited: AlertDocument = saved.document) => {
    setBase(saved)
    setDraft(edited)
    if (same(edited, saved.document)) forget()
    else keep({ ...saved, id, draft: storable(edited, saved.document) })
  }
  // Nobody edits here: what others save is simply shown.
  if (theirs && !dirty) {
    setBase(theirs)
    setDraft(theirs.document)
  }
  return {
    id,
    draft,
    base,
    dirty,
    theirs: dirty ? theirs : null,
    rename: (to) => {
      setId(to)
      keep({ ...base, id: to, draft: storable(draft, base.document) })
    },
    edit: (change) => {
      const next = { ...draft, ...change }
      setDraft(next)
      keep({ ...base, id, draft: storable(next, base.document) })
    },
    begin,
    forget,
  }
}

/** As the refusal tells it, or as the page has heard already. */
function newer(refused: Error | null, alert: Alert, revision: number): Saved | null {
  if (refused instanceof ApiError && refused.status === 412 && isMapping(refused.problem.current)) {
    const current = refused.problem.current as unknown as Alert
    if (current.revision > revision) return { document: alertDocument(current), revision: current.revision }
  }
  return alert.revision > revision ? { document: alertDocument(alert), revision: alert.revision } : null
}
