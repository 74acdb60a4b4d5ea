/** Alerts, what they told, and a message to try one. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { AlertDocument } from '../forms/alert'
import { request, withQuery } from './client'
import { keys } from './queries'
import type { Alert, AlertEventPage, AlertList, AlertTest } from './wire'

const MOST = 500
const KNOWN = [...keys.alerts, 'known']
/** The receiver may take ten seconds, and its name has to be found first. */
const TEST_MS = 30_000

const at = (id: string, rest = '') => `/api/alerts/${encodeURIComponent(id)}${rest}`

export function useAlerts() {
  return useQuery({ queryKey: keys.told, queryFn: ({ signal }) => request<AlertList>(withQuery('/api/alerts', { limit: MOST }), { signal }) })
}

/** For a page that is about something else: asked once a minute at most, and not again while one looks. */
export function useKnownAlerts() {
  return useQuery({
    queryKey: KNOWN,
    queryFn: ({ signal }) => request<AlertList>(withQuery('/api/alerts', { limit: MOST }), { signal }),
    staleTime: 60_000,
    refetchInterval: false,
    retry: false,
  })
}

export function useAlert(id: string) {
  return useQuery({ queryKey: [...keys.told, id], queryFn: ({ signal }) => request<Alert>(at(id), { signal }) })
}

/** What it told, newest first. */
export function useAlertEvents(id: string, after: string | null, limit: number) {
  return useQuery({
    queryKey: [...keys.told, id, 'events', after],
    queryFn: ({ signal }) => request<AlertEventPage>(withQuery(at(id, '/events'), { after, limit }), { signal }),
    placeholderData: keepPreviousData,
  })
}

/** Send a message that says it is a test, the way that all others go. */
export function useAlertTest(id: string) {
  const client = useQueryClient()
  return useMutation<AlertTest>({
    mutationFn: () => request<AlertTest>(at(id, '/test'), { method: 'POST', patience: TEST_MS }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  })
}

/** The same before it is saved. With the `id` of a saved one, secrets that stay are taken from it. */
export function useDraftAlertTest() {
  return useMutation<AlertTest, Error, AlertDocument & { id?: string }>({
    mutationFn: (body) => request<AlertTest>('/api/alerts/test', { method: 'POST', body, patience: TEST_MS }),
  })
}

export function useCreateAlert() {
  const client = useQueryClient()
  return useMutation<Alert, Error, AlertDocument & { id: string }>({
    mutationFn: (body) => request<Alert>('/api/alerts', { method: 'POST', body }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.alerts }),
  })
}

export function useSaveAlert(id: string) {
  const client = useQueryClient()
  return useMutation<Alert, Error, { body: AlertDocument; revision: number }>({
    mutationFn: ({ body, revision }) => request<Alert>(at(id), { method: 'PUT', body, revision }),
    onSuccess: (saved) => {
      client.setQueryData([...keys.told, id], saved)
      return client.invalidateQueries({ queryKey: keys.alerts })
    },
  })
}

export function useSwitchAlert({ id, revision, enabled }: Alert) {
  const client = useQueryClient()
  return useMutation<Alert>({
    mutationFn: () => request<Alert>(at(id), { method: 'PATCH', body: { enabled: !enabled }, revision }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  })
}

/** `onGone` comes first: what is still shown of it would else be asked for once more, and not be found. */
export function useDeleteAlert({ id, revision }: Alert, onGone?: () => void) {
  const client = useQueryClient()
  return useMutation<null>({
    mutationFn: () => request<null>(at(id), { method: 'DELETE', revision }),
    onSuccess: () => {
      onGone?.()
      void client.invalidateQueries({ queryKey: keys.told, exact: true })
      void client.invalidateQueries({ queryKey: KNOWN })
    },
  })
}
