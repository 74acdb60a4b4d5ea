import type { AlertTest } from '../../api/wire'
import { count } from '../../format/number'
import { State } from '../State'

/** How a test message fared: whether it arrived, what was answered, how long that took, and why where it did not. */
export function AlertTried({ result: { ok, ms, status, message } }: { result: AlertTest }) {
  return (
    <div className="tried" role="status">
      <p>
        <State state={ok ? 'succeeded' : 'failed'}>{ok ? 'arrived' : 'did not arrive'}</State>{' '}
        <span className="muted">
          {status === null ? 'no answer' : `answered ${status}`} · {count(ms)} ms
        </span>
      </p>
      {!ok && <p className="tried-why">{message}</p>}
    </div>
  )
}
