import { useState } from 'react'
import { useSearchParams } from 'wouter'
import { ApiError } from '../api/client'
import { useLogin } from '../api/queries'
import { within } from '../format/address'
import { useTitle } from '../parts/Head'
import { Logo } from '../parts/Logo'

/** `/login?next=`: the password, then on to where the reader wanted to be. */
export function Login() {
  useTitle('Log in')
  const [query] = useSearchParams()
  const [password, setPassword] = useState('')
  const login = useLogin()
  const wrong = login.error instanceof ApiError && login.error.status === 401

  const enter = () =>
    login.mutate(password, {
      onSuccess: () => {
        // Loaded anew, so that nothing of before stays.
        window.location.replace(within(query.get('next'), window.location.origin))
      },
    })

  return (
    <main className="login">
      <form
        className="panel"
        onSubmit={(event) => {
          event.preventDefault()
          enter()
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
            autoComplete="current-password"
            autoFocus
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            aria-invalid={wrong}
            aria-describedby={login.error ? 'login-error' : undefined}
          />
        </label>
        {login.error && (
          <p id="login-error" className="bad small" role="alert">
            {wrong ? 'That is not the password.' : login.error.message}
          </p>
        )}
        <button type="submit" className="button first" disabled={login.isPending}>
          {login.isPending ? 'Logging in…' : 'Log in'}
        </button>
      </form>
    </main>
  )
}
