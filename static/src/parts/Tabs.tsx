import type { ReactNode } from 'react'
import { Link } from 'wouter'
import '../styles/tabs.css'

interface TabsProps<T extends string> {
  label: string
  tabs: readonly { name: T; title: string; note?: ReactNode }[]
  chosen: T
  href: (name: T) => string
}

/** The parts of a page, each with an address: links, so that Back, new windows and bookmarks do what they always do. */
export function Tabs<T extends string>({ label, tabs, chosen, href }: TabsProps<T>) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ name, title, note }) => (
        <Link key={name} href={href(name)} aria-current={name === chosen ? 'page' : undefined}>
          {title}
          {note !== undefined && <small>{note}</small>}
        </Link>
      ))}
    </nav>
  )
}
