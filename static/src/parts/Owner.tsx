/** A mark for what a file keeps: it is changed there, and not here. */
export function Owner({ of: owner }: { of: string | null }) {
  if (owner === null) return null
  return (
    <span className="tag calm" title={`Kept by ${owner}: what it says is changed in that file`}>
      kept by {owner.split('/').at(-1)}
    </span>
  )
}
