import { useEffect, useState } from 'react'
import { useSearchParams } from 'wouter'
import { ApiError } from '../api/client'
import { useLogin, useSession } from '../api/session'
import { within } from '../format/address'
import { useTitle } from '../parts/Head'
import { Logo } from '../parts/Logo'

/** `/login?next=`: the password, then on to where the reader wanted to be. */
export function Login() {
  useTitle('Log in')
  const [query] = useSearchParams()
  const [password, setPassword] = useState('')
  const login = useLogin()
  const session = useSession()
  const next = within(query.get('next'), window.location.origin)
  const wait = useCountdown(login.error instanceof ApiError ? login.error.retryAfter : null, login.submittedAt)

  const enter = () =>
    login.mutate(password, {
      // Loaded anew, so that nothing of before stays.
      onSuccess: () => window.location.replace(next),
      onError: () => setPassword(''),
    })

  if (session.data) {
    return (
      <main className="login">
        <div className="panel">
          <span className="brand">
            <Logo /> <h1>syncworker</h1>
          </span>
          <p>
            {session.data.how === 'anyone'
              ? 'No credentials are set here: everybody may enter, and do everything.'
              : `You are logged in as ${session.data.who}.`}
          </p>
          <a className="button first" href={next}>
            Go on
          </a>
        </div>
      </main>
    )
  }
  return (
    <main className="login">
      <form
        className="panel"
        onSubmit={(event) => {
          event.preventDefault()
          if (wait === 0) enter()
        }}
      >
        <span className="brand">
          <Logo /> <h1>syncworker</h1>
        </span>
        <label>
          Password
          <input
            className="field"
            type="password"
            name="password"
            autoComplete="current-password"
            autoFocus
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            aria-invalid={isWrong(login.error)}
            aria-describedby={login.error ? 'login-error' : undefined}
          />
        </label>
        {login.error && (
          <p id="login-error" className="bad small" role="alert">
            {reason(login.error)}
          </p>
        )}
        {/* Counted outside the alert, which would else be read out every second. */}
        {wait > 0 && (
          <p className="muted small">
            Try again in {wait} s.
          </p>
        )}
        <button type="submit" className="button first" disabled={login.isPending || wait > 0}>
          {login.isPending ? 'Logging in…' : 'Log in'}
        </button>
      </form>
    </main>
  )
}

function isWrong(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 401
}

function reason(error: Error): string {
  if (!(error instanceof ApiError)) return error.message
  if (error.status === 401) return 'That is not the password.'
  if (error.status === 429) return 'Too many failed logins.'
  if (error.status === 0) return `${error.message} Try again when it is back.`
  if (error.status === 503) return 'The server is there, and its database is not. Try again in a moment.'
  return error.message
}

/** Seconds that are left of `seconds` since `from` (ms), counted down. */
function useCountdown(seconds: number | null, from: number): number {
  const [left, setLeft] = useState(0)
  useEffect(() => {
    if (seconds === null) return
    const end = from + seconds * 1_000
    const look = () => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1_000)))
    look()
    const timer = setInterval(look, 250)
    return () => clearInterval(timer)
  }, [seconds, from])
  return seconds === null ? 0 : left
}
