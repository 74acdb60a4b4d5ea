/** Connections and the connectors behind them: asked, tried, looked into, saved. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { request, withQuery } from './client'
import { keys } from './queries'
import type { Connection, ConnectionTest, ConnectorList, JobList, Preview, Stream, StreamList } from './wire'

/** What looks into a database that may be far away. */
const LOOK_MS = 45_000
const STREAMS_PAGE = 1_000

const at = (id: string, rest = '') => `/api/connections/${encodeURIComponent(id)}${rest}`

export function useConnectors() {
  return useQuery({
    queryKey: ['connectors'],
    queryFn: ({ signal }) => request<ConnectorList>(withQuery('/api/connectors', { limit: 1_000 }), { signal }),
    staleTime: Infinity,
    refetchInterval: false,
  })
}

export function useConnection(id: string) {
  return useQuery({
    queryKey: [...keys.connections, id],
    queryFn: ({ signal }) => request<Connection>(at(id), { signal }),
  })
}

/** The streams that can be read from a connection. Looked for once; `refetch` looks again. */
export function useStreams(id: string | null, enabled = true) {
  return useQuery({
    queryKey: ['streams', id],
    queryFn: async ({ signal }) => {
      const found: Stream[] = []
      let after: string | null = null
      do {
        const page: StreamList = await request<StreamList>(withQuery(at(id ?? '', '/streams'), { limit: STREAMS_PAGE, after }), {
          signal,
          patience: LOOK_MS,
        })
        found.push(...page.items)
        after = page.next
      } while (after !== null)
      return found
    },
    enabled: enabled && id !== null,
    staleTime: 60_000,
    refetchInterval: false,
    retry: false,
  })
}

const PREVIEW_ROWS = 10

export function usePreview(connection: string, stream: string) {
  return useQuery({
    queryKey: ['preview', connection, stream],
    queryFn: ({ signal }) => {
      // A stream's name may have slashes (a file in a folder): the path takes them as they are.
      const name = stream.split('/').map(encodeURIComponent).join('/')
      return request<Preview>(withQuery(at(connection, `/streams/${name}/preview`), { limit: PREVIEW_ROWS }), {
        signal,
        patience: LOOK_MS,
      })
    },
    staleTime: 60_000,
    refetchInterval: false,
    retry: false,
  })
}

export type ConnectionBody = { type: string } & Record<string, unknown>

/** Try settings that are not saved. With the `id` of a saved one, secrets that are left out are taken from it. */
export function useDraftTest() {
  return useMutation<ConnectionTest, Error, ConnectionBody & { id?: string }>({
    mutationFn: (body) => request<ConnectionTest>('/api/connections/test', { method: 'POST', body, patience: LOOK_MS }),
  })
}

export function useCreateConnection() {
  const client = useQueryClient()
  return useMutation<Connection, Error, ConnectionBody & { id: string }>({
    mutationFn: (body) => request<Connection>('/api/connections', { method: 'POST', body }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.connections }),
  })
}

export function useSaveConnection(id: string) {
  const client = useQueryClient()
  return useMutation<Connection, Error, { body: ConnectionBody; revision: number }>({
    mutationFn: ({ body, revision }) => request<Connection>(at(id), { method: 'PUT', body, revision }),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.connections }),
        client.invalidateQueries({ queryKey: ['streams', id] }),
        client.invalidateQueries({ queryKey: ['preview', id] }),
      ]),
  })
}

/** `onGone` comes first: what is still shown of it would else be asked for once more, and not be found. */
export function useDeleteConnection(id: string, revision: number, onGone: () => void) {
  const client = useQueryClient()
  return useMutation<null>({
    mutationFn: () => request<null>(at(id), { method: 'DELETE', revision }),
    onSuccess: () => {
      onGone()
      void client.invalidateQueries({ queryKey: keys.connections, exact: true })
    },
  })
}

/** The jobs that read from a connection, or write to it. */
export function useJobsOf(connection: string, end: 'source' | 'destination') {
  return useQuery({
    queryKey: ['jobs of', end, connection],
    queryFn: async ({ signal }) => {
      const q = `${end}:"${connection}"`
      const found = await request<JobList>(withQuery('/api/jobs', { q, limit: 100 }), { signal })
      // The search finds parts of names too.
      return { ids: found.items.filter((job) => job[end] === connection).map((job) => job.id), more: found.next !== null }
    },
    placeholderData: keepPreviousData,
  })
}
