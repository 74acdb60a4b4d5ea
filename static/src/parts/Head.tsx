import { useEffect, type ReactNode } from 'react'

interface HeadProps {
  title: string
  crumbs?: ReactNode
  state?: ReactNode
  under?: ReactNode
  children?: ReactNode
}

/** The top of a page: its name (the window's too), its state, its buttons. */
export function Head({ title, crumbs, state, under, children }: HeadProps) {
  useTitle(title)
  return (
    <div className="page-head">
      <div className="page-title">
        {crumbs !== undefined && <div className="crumbs">{crumbs}</div>}
        <div>
          <h1>{title}</h1>
          {state}
        </div>
        {under !== undefined && <div className="muted small">{under}</div>}
      </div>
      {children}
    </div>
  )
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · syncworker`
  }, [title])
}
