import { useId, type ReactNode } from 'react'

interface PanelProps {
  title: string
  note?: ReactNode
  tools?: ReactNode
  children: ReactNode
}

/** A titled box of the page. */
export function Panel({ title, note, tools, children }: PanelProps) {
  const id = useId()
  return (
    <section className="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>
          {title}
          {note !== undefined && <small>{note}</small>}
        </h2>
        {tools}
      </header>
      {children}
    </section>
  )
}
