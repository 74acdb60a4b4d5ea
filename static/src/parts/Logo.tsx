/** Two staircases climbing side by side: in step. */
export function Logo({ size = 26 }: { size?: number }) {
  const line = { fill: 'none', strokeWidth: 3.2, strokeLinecap: 'round', strokeLinejoin: 'round' } as const
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 32 32">
      <rect width="32" height="32" rx="8" fill="#2c54cf" />
      <path d="M6 20.5h5.5v-6H17v-6h5.5" stroke="#fff" {...line} />
      <path d="M9.5 25.5H15v-6h5.5v-6H26" stroke="#9fbaff" {...line} />
    </svg>
  )
}
