import type { Deed } from './Act'

/** On or off; shows what the server says, never what was hoped. */
export function Switch({ on, label, deed }: { on: boolean; label: string; deed: Deed }) {
  return (
    <button
      type="button"
      role="switch"
      className="switch"
      aria-checked={on}
      aria-label={label}
      title={on ? 'Enabled: click to disable' : 'Disabled: click to enable'}
      aria-busy={deed.isPending}
      disabled={deed.isPending}
      onClick={() => deed.mutate()}
    />
  )
}
