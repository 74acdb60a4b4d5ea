import { useIsFetching, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { useLive } from './api/live-context'
import { useLiveState } from './api/live'
import { useStatus } from './api/queries'
import { Icon, type IconName } from './parts/Icon'
import { LiveMark } from './parts/LiveMark'
import { Logo } from './parts/Logo'
import { ThemeSwitch } from './parts/ThemeSwitch'

const PLACES: [href: string, icon: IconName, label: string][] = [
  ['/', 'overview', 'Overview'],
  ['/jobs', 'jobs', 'Jobs'],
  ['/runs', 'runs', 'Runs'],
  ['/connections', 'connections', 'Connections'],
  ['/instances', 'instances', 'Instances'],
  ['/settings', 'settings', 'Settings'],
]

/** The frame of every page: where one can go, whether what is shown is live. */
export function Shell({ children }: { children: ReactNode }) {
  const [location] = useLocation()
  const status = useStatus()
  const live = useLive()
  const state = useLiveState(live)
  const since = useLastAnswer()
  useEffect(() => live.start(), [live])
  useTopOfNewPage(location)
  const silent = status.data !== undefined && status.error
  return (
    <div className="shell">
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <header className="rail">
        <Link href="/" className="brand">
          <Logo /> syncworker
        </Link>
        <nav className="nav" aria-label="Pages of the dashboard">
          <ul>
            {PLACES.map(([href, icon, label]) => (
              <li key={href}>
                <Link href={href} aria-current={isAt(location, href) ? 'page' : undefined}>
                  <Icon name={icon} />
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="rail-foot">
          <LiveMark state={state} since={since} />
          <ThemeSwitch />
        </div>
      </header>
      <main className="page" id="page" tabIndex={-1}>
        {silent && (
          <p className="notice wait" role="alert">
            <Icon name="alert" /> {status.error.message} What you see is of {new Date(since).toLocaleTimeString('en-GB')}; trying
            again.
          </p>
        )}
        {children}
      </main>
    </div>
  )
}

/** A page that one goes to begins at its top; one that one comes back to stays where the browser puts it. */
function useTopOfNewPage(location: string): void {
  const came = useRef(false)
  useEffect(() => {
    const back = () => {
      came.current = true
    }
    window.addEventListener('popstate', back)
    return () => window.removeEventListener('popstate', back)
  }, [])
  useEffect(() => {
    if (!came.current) window.scrollTo(0, 0)
    came.current = false
  }, [location])
}

function isAt(location: string, href: string): boolean {
  return href === '/' ? location === '/' : location === href || location.startsWith(`${href}/`)
}

/** When the server last answered anything, in ms; 0 before the first time. */
function useLastAnswer(): number {
  const client = useQueryClient()
  useIsFetching() // looks again whenever a question begins or ends
  return Math.max(0, ...client.getQueryCache().getAll().map((query) => query.state.dataUpdatedAt))
}
