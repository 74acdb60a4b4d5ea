/** One job, edited as a form and as YAML: what is changed on one side appears on the other. */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { Fault } from '../api/client'
import { printYaml, readYaml } from '../api/declaration'
import type { PlacedFault } from '../api/wire'
import { faultsOf } from './faults'
import type { Json } from './path'

/** After the last key is pressed. */
const QUIET_MS = 300

export interface TwoSides {
  draft: Json
  text: string
  /** Of the YAML, with their lines; of the form, with their fields. */
  placed: PlacedFault[]
  faults: Fault[]
  /** One side has not caught up with the other. */
  behind: boolean
  /** Why the other side cannot be had, where the server is the reason. */
  failure: string | null
  editForm: (draft: Json) => void
  editText: (text: string) => void
  /** Begin anew from a document, as after it was saved. */
  restart: (document: Json) => void
}

type Side = 'form' | 'text' | null

export function useTwoSides(id: string, document: Json): TwoSides {
  const [draft, setDraft] = useState(document)
  const [text, setText] = useState('')
  const [placed, setPlaced] = useState<PlacedFault[]>([])
  const [faults, setFaults] = useState<Fault[]>([])
  const [failure, setFailure] = useState<string | null>(null)
  // Which side was typed into, and so is still to be told to the other.
  const [edited, setEdited] = useState<Side>('form')
  const first = useRef(true)

  useEffect(() => {
    if (edited === null) return
    const asked = new AbortController()
    const settle = (error: unknown) => {
      if (asked.signal.aborted) return
      const found = error instanceof Error ? faultsOf(error) : []
      setFaults(edited === 'form' ? found : [])
      setFailure(found.length > 0 ? null : error instanceof Error ? error.message : null)
      setEdited(null)
    }
    const tell = () => {
      const telling =
        edited === 'form'
          ? printYaml(id, draft, asked.signal).then((printed) => {
              setText(printed)
              setPlaced([])
            })
          : readYaml(text, asked.signal).then((read) => {
              const renamed = read.id !== null && read.id !== id
              setPlaced(renamed ? [...read.faults, fixed(id, read.id)] : read.faults)
              if (read.job && !renamed) setDraft(read.job)
            })
      telling.then(() => settle(null), settle)
    }
    const timer = setTimeout(tell, first.current ? 0 : QUIET_MS)
    first.current = false
    return () => {
      clearTimeout(timer)
      asked.abort()
    }
  }, [id, edited, draft, text])

  const editForm = useCallback((next: Json) => {
    setDraft(next)
    setEdited('form')
  }, [])
  const editText = useCallback((next: string) => {
    setText(next)
    setEdited('text')
  }, [])
  return { draft, text, placed, faults, behind: edited !== null, failure, editForm, editText, restart: editForm }
}

/** A job's name is where its runs and checkpoints are kept. */
function fixed(id: string, given: string | null): PlacedFault {
  return { line: 1, column: 1, field: 'id', message: `is ${given ?? ''}; a job’s name cannot change: it is ${id}` }
}
