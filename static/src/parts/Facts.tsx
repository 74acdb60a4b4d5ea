import type { ReactNode } from 'react'

/** Names and values; entries whose value is null are left out. */
export function Facts({ entries, one = false }: { entries: [name: string, value: ReactNode][]; one?: boolean }) {
  return (
    <dl className={one ? 'facts one' : 'facts'}>
      {entries
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}
