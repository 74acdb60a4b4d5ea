import '../styles/forms.css'
import type { ConnectionTest, Step } from '../api/wire'
import { count } from '../format/number'
import { State } from './State'

const STEP_WORDS: Record<Step, string> = {
  name: 'Find the name',
  tcp: 'Reach it',
  tls: 'Encrypt (TLS)',
  login: 'Log in',
  permission: 'Permissions',
  query: 'Read a little',
}

/** How the test of a connection went: each step with its time, and what to do where one failed. */
export function Tried({ result }: { result: ConnectionTest }) {
  return (
    <div className="tried" role="status">
      <p>
        <State state={result.ok ? 'succeeded' : 'failed'}>{result.ok ? 'answers' : `fails at ${result.step}`}</State>{' '}
        <span className="muted">{count(result.ms)} ms</span>
      </p>
      {result.steps.length > 0 && (
        <ol className="tried-steps">
          {result.steps.map((step) => (
            <li key={`${step.step} ${step.end ?? ''}`} className={step.ok ? 'good' : 'bad'}>
              <span aria-hidden="true">{step.ok ? '✓' : '✕'}</span> {STEP_WORDS[step.step]}
              {step.end && <span className="muted"> as {step.end}</span>}
              <span className="hidden">{step.ok ? ' worked' : ' failed'}</span> <span className="muted">{count(step.ms)} ms</span>
            </li>
          ))}
        </ol>
      )}
      {!result.ok && (
        <p>
          {result.message}
          {result.hint && <strong> {result.hint}</strong>}
        </p>
      )}
      {result.ok && (result.reads === false || result.writes === false) && (
        <p className="muted">{result.reads === false ? 'It can be written to, but not read.' : 'It can be read, but not written to.'}</p>
      )}
    </div>
  )
}
