/** Tokens of programs, and the record of what was done. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { request, withQuery } from './client'
import type { AuditPage, NewToken, Scope, SettingList, TokenList } from './wire'

const TOKENS = ['tokens']

export function useTokens(enabled: boolean) {
  return useQuery({
    queryKey: TOKENS,
    queryFn: ({ signal }) => request<TokenList>('/api/tokens', { signal }),
    enabled,
  })
}

export interface TokenAsked {
  name: string
  scope: Scope
  expires_in: string | null
}

export function useMakeToken() {
  const client = useQueryClient()
  return useMutation<NewToken, Error, TokenAsked>({
    mutationFn: (body) => request<NewToken>('/api/tokens', { method: 'POST', body }),
    onSuccess: () => client.invalidateQueries({ queryKey: TOKENS }),
  })
}

export function useRevokeToken(id: string) {
  const client = useQueryClient()
  return useMutation<null>({
    mutationFn: () => request<null>(`/api/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSettled: () => client.invalidateQueries({ queryKey: TOKENS }),
  })
}

export interface AuditFilter {
  subject?: string | null
  who?: string | null
  action?: string | null
  since?: string | null
  after?: string | null
  limit?: number
}

/** Who did what, newest first. */
export function useAudit(filter: AuditFilter) {
  return useQuery({
    queryKey: ['audit', filter],
    queryFn: ({ signal }) => request<AuditPage>(withQuery('/api/audit', { ...filter }), { signal }),
    placeholderData: keepPreviousData,
  })
}

/** What the process that answers was started with. */
export function useSettings(enabled: boolean) {
  return useQuery({
    queryKey: ['settings'],
    queryFn: ({ signal }) => request<SettingList>('/api/settings', { signal }),
    enabled,
  })
}
