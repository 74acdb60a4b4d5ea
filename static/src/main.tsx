import { focusManager, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { navigate } from 'wouter/use-browser-location'
import { App } from './App'
import { EVENT_TYPES, listener } from './api/apply'
import { Live } from './api/live'
import { LiveContext } from './api/live-context'
import { LIVE_INTERVAL_MS, makeQueryClient, POLL_INTERVAL_MS } from './api/queries'
import { fetchPages } from './lazy'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/parts.css'
import './styles/overview.css'
import './styles/jobs.css'
import './styles/palette.css'

function toLogin(): void {
  const here = window.location.pathname + window.location.search
  if (window.location.pathname !== '/login') navigate(`/login?next=${encodeURIComponent(here)}`, { replace: true })
}

const client = makeQueryClient(toLogin, () => (live.held ? false : live.state === 'live' ? LIVE_INTERVAL_MS : POLL_INTERVAL_MS))
const { onEvent, onChange } = listener(client, () => live.held)
const live = new Live('/api/events', EVENT_TYPES, onEvent, onChange)

// A clock that was set before somebody paused the page would still ask once: without the focus none does.
live.watch(() => focusManager.setFocused(live.held ? false : undefined))

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

/** The other pages come once the first one is there, so that going to one waits for nothing. */
const LATER_MS = 1_500
window.addEventListener('load', () => setTimeout(fetchPages, LATER_MS), { once: true })
