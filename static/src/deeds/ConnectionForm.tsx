import { useMemo, useState, type ReactNode } from 'react'
import { ApiError } from '../api/client'
import { useConnectors, useCreateConnection, useDraftTest, useSaveConnection, type ConnectionBody } from '../api/connections'
import type { Connection, Connector } from '../api/wire'
import { faultsElsewhere, faultsOf, words } from '../forms/faults'
import { entered, fieldsOf, settingsOf, type Entered, type FieldShape } from '../forms/schema'
import { isId } from '../forms/steps'
import { Act } from '../parts/Act'
import { Choices } from '../parts/form/Choices'
import { TextField } from '../parts/form/Field'
import { SchemaForm } from '../parts/form/SchemaForm'
import { Loaded } from '../parts/Loaded'
import { Tried } from '../parts/Tried'
import { useStored } from '../stored'

/** What a connector reaches, in the words of who has one. */
const REACHES: Record<string, string> = {
  files: 'A folder of CSV or JSON lines, plain or gzipped.',
  mongodb: 'A database of a MongoDB server or cluster.',
  postgres: 'A PostgreSQL database.',
  sqlite: 'A SQLite file on the server’s disk.',
}

interface ConnectionFormProps {
  /** The one that is changed; null makes a new one. */
  connection: Connection | null
  onSaved: (connection: Connection) => void
  children?: ReactNode
}

/** A connection's settings: entered, tried, saved. */
export function ConnectionForm(props: ConnectionFormProps) {
  const connectors = useConnectors()
  return (
    <Loaded asked={connectors} lines={4}>
      {({ items }) => <Form connectors={items} {...props} />}
    </Loaded>
  )
}

interface Typed {
  type: string
  id: string
  values: Entered
}

const NOTHING: Typed = { type: '', id: '', values: {} }

function Form({ connectors, connection, onSaved, children }: ConnectionFormProps & { connectors: Connector[] }) {
  const [typed, setTyped, forget] = useStored(connection ? `connection ${connection.id}` : 'new connection', NOTHING)
  const [secrets, setSecrets] = useState<Entered>({})
  const [wrong, setWrong] = useState<Record<string, string>>({})
  const type = connection?.type ?? typed.type
  const connector = connectors.find(({ name }) => name === type)
  const fields = useMemo(() => (connector ? fieldsOf(connector) : []), [connector])
  const saved = connection !== null
  const values = { ...(connection ? entered(fields, connection) : {}), ...typed.values, ...secrets }

  const test = useDraftTest()
  const create = useCreateConnection()
  const save = useSaveConnection(connection?.id ?? '')
  const failed = create.error ?? save.error ?? test.error
  const faults = { ...Object.fromEntries(faultsOf(failed).map(({ field, message }) => [field, message])), ...wrong }
  const shown = ['id', 'type', ...fields.map(({ name }) => name)]
  const left = faultsElsewhere(faultsOf(failed), shown)

  const change = (name: string, value: string) => {
    setWrong(without(wrong, name))
    ;[test, create, save].forEach((one) => one.reset())
    if (isSecret(fields, name)) setSecrets((before) => ({ ...before, [name]: value }))
    else setTyped((before) => ({ ...before, values: { ...before.values, [name]: value } }))
  }
  const read = (): ConnectionBody | null => {
    const { settings, faults: found } = settingsOf(fields, values, saved)
    if (!saved && !isId(typed.id)) found.id = 'needs small letters, digits, - or _, such as shop-db'
    setWrong(found)
    return Object.keys(found).length === 0 ? { type, ...settings } : null
  }
  const done = (known: Connection) => {
    forget()
    onSaved(known)
  }
  const submit = () => {
    const body = read()
    if (!body) return
    test.reset()
    if (connection) save.mutate({ body, revision: connection.revision }, { onSuccess: done })
    else create.mutate({ ...body, id: typed.id }, { onSuccess: done })
  }
  const tryIt = () => {
    const { settings, faults: found } = settingsOf(fields, values, saved)
    setWrong(found)
    if (Object.keys(found).length === 0) test.mutate({ type, ...settings, ...(connection ? { id: connection.id } : {}) })
  }

  return (
    <form
      className="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      {!saved && (
        <Choices
          legend="What is it?"
          value={connector ? type : null}
          options={connectors.map(({ name }) => ({ value: name, title: name, words: REACHES[name] }))}
          onChange={(to) => {
            setTyped((before) => ({ ...before, type: to, id: before.id || '' }))
            setSecrets({})
            setWrong({})
            test.reset()
          }}
        />
      )}
      {connector ? (
        <>
          {!saved && (
            <TextField
              label="Name"
              help="How jobs call it. It cannot be changed later."
              fault={faults.id}
              value={typed.id}
              onChange={(id) => {
                setTyped((before) => ({ ...before, id }))
                setWrong(without(wrong, 'id'))
                create.reset()
              }}
              placeholder={`my-${connector.name}`}
            />
          )}
          <SchemaForm fields={fields} values={values} faults={faults} onChange={change} saved={saved} />
          {failed && <Refusal error={failed} left={left.map(words)} />}
          {test.data && <Tried result={test.data} />}
          <div className="actions form-actions">
            {children}
            <Act deed={{ ...test, mutate: tryIt }} label="Test" busy="Testing…" />
            <button type="submit" className="button first" disabled={create.isPending || save.isPending}>
              {create.isPending || save.isPending ? 'Saving…' : saved ? 'Save' : 'Save connection'}
            </button>
          </div>
        </>
      ) : (
        <>
          {saved && <p className="fault-text">This version of syncworker has no connector {type}.</p>}
          {children && <div className="actions form-actions">{children}</div>}
        </>
      )}
    </form>
  )
}

/** Why the server refused; faults that stand at their fields are not said twice. */
function Refusal({ error, left }: { error: Error; left: string[] }) {
  const placed = error instanceof ApiError && error.status === 422 && faultsOf(error).length > 0
  if (placed && left.length === 0) return <p className="fault-text">Some settings above cannot be used.</p>
  const stale = error instanceof ApiError && error.status === 412
  return (
    <p className="fault-text" role="alert">
      {stale ? 'Somebody changed this connection meanwhile: load the page again to see it, then change it.' : placed ? left.join('; ') : error.message}
    </p>
  )
}

function isSecret(fields: FieldShape[], name: string): boolean {
  return fields.some((field) => field.name === name && field.kind === 'secret')
}

function without(faults: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(faults).filter(([one]) => one !== name))
}
