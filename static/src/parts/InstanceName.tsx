import { createContext, useContext } from 'react'
import { Link } from 'wouter'
import type { InstanceList } from '../api/wire'

/** What is known of instances, those that are gone included: their terms remember them. */
export const InstancesContext = createContext<InstanceList | null>(null)

export interface Known {
  host: string
  pid: number
}

export function knownInstance(list: InstanceList | null, id: string): Known | null {
  return list?.items.find((one) => one.id === id) ?? list?.terms.find((term) => term.instance === id) ?? null
}

/** An instance by what a person knows of it, its host and process; by its id where no more is known. */
export function InstanceName({ id }: { id: string }) {
  const list = useContext(InstancesContext)
  const known = knownInstance(list, id)
  return (
    <Link href="/instances" title={`Instance ${id}`} className="quiet">
      {known ? `${known.host}, pid ${known.pid}` : <code>{id.slice(0, 8)}</code>}
    </Link>
  )
}

/** Who led under a token, as far as its term is still known. */
export function LeaderUnder({ token }: { token: number }) {
  const term = useContext(InstancesContext)?.terms.find((one) => one.id === token)
  return (
    <>
      {term && (
        <>
          <InstanceName id={term.instance} />,{' '}
        </>
      )}
      lease token {token}
    </>
  )
}
