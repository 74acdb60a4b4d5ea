import { useEffect, useRef, useState, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { useAddress } from './address'
import { useLive } from './api/live-context'
import { useLiveState } from './api/live'
import { useStatus } from './api/queries'
import { useSession } from './api/session'
import { Boundary } from './Boundary'
import { sentence } from './format/sentence'
import { useKeys } from './keys/useKeys'
import { Skeleton } from './parts/Blank'
import { Icon, type IconName } from './parts/Icon'
import { KeysHelp } from './parts/KeysHelp'
import { LiveMark } from './parts/LiveMark'
import { Logo } from './parts/Logo'
import { ThemeSwitch } from './parts/ThemeSwitch'
import { Time } from './parts/Time'
import { Palette } from './shell/Palette'
import { useLastAnswer, useTopOfNewPage } from './shell/useShell'

const PLACES: [href: string, icon: IconName, label: string][] = [
  ['/', 'overview', 'Overview'],
  ['/jobs', 'jobs', 'Jobs'],
  ['/runs', 'runs', 'Runs'],
  ['/connections', 'connections', 'Connections'],
  ['/instances', 'instances', 'Instances'],
  ['/settings', 'settings', 'Settings'],
]

/** The frame of every page: where one can go, whether what is shown is live, and the keys. */
export function Shell({ children }: { children: ReactNode }) {
  const [location] = useLocation()
  const [query, change] = useAddress()
  const status = useStatus()
  const session = useSession()
  const live = useLive()
  const state = useLiveState(live)
  const since = useLastAnswer()
  const help = useRef<HTMLDialogElement>(null)
  const [finding, setFinding] = useState(false)
  useEffect(() => live.start(), [live])
  useTopOfNewPage(location)
  useKeys({
    openHelp: () => help.current?.showModal(),
    openPalette: () => setFinding(true),
    clear: () => query.has('selected') && change({ selected: null }, { replace: true }),
  })
  // Whatever was answered is shown, and grows old: also where this question never was.
  const silent = since > 0 && status.error
  // Deeds that came later than what they are for would move it under the reader, and keys pressed before would do nothing.
  const known = session.data !== undefined || session.error !== null
  return (
    <div className="shell">
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <header className="rail">
        <Link href="/" className="brand">
          <Logo /> <span>syncworker</span>
        </Link>
        <button type="button" className="finder" onClick={() => setFinding(true)} aria-keyshortcuts="Control+K Meta+K">
          <Icon name="search" size={14} /> <span>Find or do</span> <kbd aria-hidden="true">Ctrl K</kbd>
        </button>
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
          <LiveMark state={silent && state === 'live' ? 'reconnecting' : state} since={since} held={live.held} onHold={(held) => live.hold(held)} />
          <div className="rail-tools">
            <ThemeSwitch />
            <button type="button" className="button little bare" onClick={() => help.current?.showModal()} aria-keyshortcuts="?" title="Keys">
              <Icon name="help" />
              <span className="hidden">Keys</span>
            </button>
          </div>
        </div>
      </header>
      <main className="page" id="page" tabIndex={-1}>
        {silent && (
          <p className="notice wait" role="alert">
            <Icon name="alert" /> {sentence(status.error.message)} What you see is of {new Date(since).toLocaleTimeString('en-GB')}; trying
            again.
            <span className="muted" aria-live="off">
              (<Time at={new Date(since).toISOString()} />)
            </span>
          </p>
        )}
        <Boundary key={location}>{known ? children : <Waiting />}</Boundary>
      </main>
      <KeysHelp dialog={help} />
      {finding && <Palette onClose={() => setFinding(false)} />}
    </div>
  )
}

function Waiting() {
  return (
    <div className="panel">
      <Skeleton lines={10} />
    </div>
  )
}

/** What is made is not below its list: a job may be called `new`. */
const LISTS: Record<string, string> = { '/new-job': '/jobs', '/new-connection': '/connections' }

function isAt(location: string, href: string): boolean {
  const place = LISTS[location] ?? location
  return href === '/' ? place === '/' : place === href || place.startsWith(`${href}/`)
}
