import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { navigate } from 'wouter/use-browser-location'
import { App } from './App'
import { EVENT_TYPES, listener } from './api/apply'
import { Live } from './api/live'
import { LiveContext } from './api/live-context'
import { LIVE_INTERVAL_MS, makeQueryClient, POLL_INTERVAL_MS } from './api/queries'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/parts.css'

function toLogin(): void {
  const here = window.location.pathname + window.location.search
  if (window.location.pathname !== '/login') navigate(`/login?next=${encodeURIComponent(here)}`, { replace: true })
}

const client = makeQueryClient(toLogin, () => (live.state === 'live' ? LIVE_INTERVAL_MS : POLL_INTERVAL_MS))
const { onEvent, onChange } = listener(client)
const live = new Live('/api/events', EVENT_TYPES, onEvent, onChange)

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <LiveContext value={live}>
        <App />
      </LiveContext>
    </QueryClientProvider>
  </StrictMode>,
)
