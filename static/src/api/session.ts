/** Who looks at the page, and what they may. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { request } from './client'
import type { Scope, Session } from './wire'

const RANK: Record<Scope, number> = { read: 0, operate: 1, admin: 2 }

export const SESSION_KEY = ['session']

export function useSession() {
  return useQuery({
    queryKey: SESSION_KEY,
    queryFn: ({ signal }) => request<Session>('/api/session', { signal }),
    staleTime: 60_000,
    refetchInterval: false,
  })
}

/** Whether `scope` allows what needs `needed`. */
export function covers(scope: Scope, needed: Scope): boolean {
  return RANK[scope] >= RANK[needed]
}

export interface Rights {
  /** Null until the server has told. */
  session: Session | null
  /** Run, cancel, retry, approve, enable, test: the deeds on what is there. */
  operate: boolean
  /** Change what is there: jobs, connections, tokens. */
  admin: boolean
}

/** What the one who looks may do. Until it is known, nothing is offered that might be refused. */
export function useRights(): Rights {
  const { data } = useSession()
  return {
    session: data ?? null,
    operate: data !== undefined && covers(data.scope, 'operate'),
    admin: data !== undefined && covers(data.scope, 'admin'),
  }
}


export function useLogin() {
  return useMutation<Session, Error, string>({
    mutationFn: (password) => request<Session>('/api/login', { method: 'POST', body: { password } }),
  })
}

export function useLogout() {
  return useMutation<null>({ mutationFn: () => request<null>('/api/logout', { method: 'POST' }) })
}
