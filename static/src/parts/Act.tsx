import type { ReactNode } from 'react'
import { Icon, type IconName } from './Icon'

/** What a button needs to know of the mutation behind it. */
export interface Deed {
  isPending: boolean
  error: Error | null
  mutate: () => void
}

interface ActProps {
  deed: Deed
  label: string
  busy: string
  icon?: IconName
  look?: 'first' | 'danger' | 'plain'
  little?: boolean
  /** Names the object for those who hear the button and do not see its row. */
  of?: string
  disabled?: boolean
  onClick?: () => void
}

/** A button that tells asked, in progress, and (through `Said`) failed with the reason. */
export function Act({ deed, label, busy, icon, look = 'plain', little = false, of, disabled = false, onClick }: ActProps) {
  const classes = ['button', look === 'plain' ? '' : look, little ? 'little' : ''].filter(Boolean).join(' ')
  const words = deed.isPending ? busy : label
  return (
    <button
      type="button"
      className={classes}
      aria-label={of && `${words} ${of}`}
      title={icon && little ? words : undefined}
      disabled={disabled || deed.isPending}
      aria-busy={deed.isPending}
      onClick={() => (onClick ? onClick() : deed.mutate())}
    >
      {icon && <Icon name={icon} size={13} />}
      <span className={icon && 'button-text'}>{words}</span>
    </button>
  )
}

/** Why the last of some deeds failed, or what came of it. */
export function Said({ deeds, children }: { deeds: Pick<Deed, 'error'>[]; children?: ReactNode }) {
  const error = deeds.find((deed) => deed.error !== null)?.error
  if (error) {
    return (
      <p className="said bad" role="alert">
        {error.message}
      </p>
    )
  }
  return children ? (
    <p className="said muted" role="status">
      {children}
    </p>
  ) : null
}
