import { ApiError } from '../../api/client'
import { faultsElsewhere, faultsOf, words } from '../../forms/faults'

/** Why the server refused; faults that stand at their fields, those `shown`, are not said twice. */
export function Refusal({ error, shown }: { error: Error; shown: string[] }) {
  const told = faultsOf(error)
  const left = faultsElsewhere(told, shown)
  const placed = error instanceof ApiError && error.status === 422 && told.length > 0
  if (placed && left.length === 0) return <p className="fault-text">Some settings above cannot be used.</p>
  return (
    <p className="fault-text" role="alert">
      {placed ? left.map(words).join('; ') : error.message}
    </p>
  )
}
