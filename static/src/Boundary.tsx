import { Component, type ReactNode } from 'react'
import { Icon } from './parts/Icon'

/** Keeps a page that broke from taking the frame with it: the other pages stay a click away. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  state: { error: Error | null } = { error: null }

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }

  render(): ReactNode {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <div className="panel blank" role="alert">
        <span className="bad">
          <Icon name="alert" size={28} />
        </span>
        <strong>This page broke</strong>
        <p>Nothing that runs was touched: only what you see. It said: {error.message}</p>
        <button type="button" className="button" onClick={() => window.location.reload()}>
          <Icon name="again" /> Load it again
        </button>
      </div>
    )
  }
}
