import { useState } from 'react'
import { copyText } from '../copy'
import { Icon } from './Icon'

/** A button that copies, on plain HTTP too, where the clipboard's own interface is closed. */
export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [state, setState] = useState<'ready' | 'done' | 'failed'>('ready')
  const copy = () =>
    void copyText(text)
      .then(() => setState('done'))
      .catch(() => setState('failed'))
      .finally(() => setTimeout(() => setState('ready'), 2_000))
  return (
    <>
      <button type="button" className="button little" onClick={copy}>
        {state === 'done' && <Icon name="check" size={13} />}
        {state === 'ready' ? label : state === 'done' ? 'Copied' : 'Select it and copy by hand'}
      </button>
      <span className="hidden" role="status">
        {state === 'done' && 'Copied'}
      </span>
    </>
  )
}
