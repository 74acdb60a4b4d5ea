import { useRef, type ReactNode } from 'react'
import { Act, type Deed } from './Act'

interface ConfirmProps {
  deed: Deed
  label: string
  busy: string
  /** What will happen, naming the object and the count. */
  children: ReactNode
  look?: 'first' | 'danger' | 'plain'
  little?: boolean
  /** As of `Act`. */
  of?: string
  disabled?: boolean
}

/** A button that asks once more before it acts. */
export function Confirm({ deed, label, busy, children, look = 'plain', little = false, of, disabled }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  return (
    <>
      <Act {...{ deed, label, busy, look, little, of, disabled }} onClick={() => dialog.current?.showModal()} />
      <dialog
        ref={dialog}
        aria-label={label}
        onClose={(event) => {
          if (event.currentTarget.returnValue === 'yes') deed.mutate()
          event.currentTarget.returnValue = ''
        }}
      >
        <form method="dialog">
          <div>{children}</div>
          <div className="actions">
            <button className="button" value="no">
              Go back
            </button>
            <button className={`button ${look === 'danger' ? 'danger' : 'first'}`} value="yes">
              {label}
            </button>
          </div>
        </form>
      </dialog>
    </>
  )
}
