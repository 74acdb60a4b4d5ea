import type { ReactNode } from 'react'

const PATHS = {
  overview: <path d="M2 9.5h2.5l2-6 3 9.5 2-5.5H14" />,
  jobs: <path d="M2 8.5h3v-3h3v-3h3M5 13.5h3v-3h3v-3h3" />,
  runs: <path d="M6 4h8M6 8h8M6 12h8M2 3l2 1-2 1zM2.5 8h.01M2.5 12h.01" />,
  connections: <path d="M6 10 10 6M7 4.5l1.6-1.6a3 3 0 0 1 4.5 4.4L11.5 9M9 11.5l-1.6 1.6A3 3 0 0 1 3 8.7L4.5 7" />,
  instances: <path d="M2.5 2.5h11v4h-11zM2.5 9.5h11v4h-11zM5 4.5h.01M5 11.5h.01" />,
  alerts: <path d="M3.5 11.5c1-1 1-2.2 1-4a3.5 3.5 0 0 1 7 0c0 1.8 0 3 1 4zM6.5 13.7h3M8 2.2v1.6" />,
  settings: <path d="M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M12 4.5a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM8 11.5a2 2 0 1 1-4 0 2 2 0 0 1 4 0z" />,
  sun: <path d="M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1.3v1.4M8 13.3v1.4M1.3 8h1.4M13.3 8h1.4M3.3 3.3l1 1M11.7 11.7l1 1M12.7 3.3l-1 1M4.3 11.7l-1 1" />,
  moon: <path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z" />,
  system: <path d="M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2zM8 2.2v11.6M8 5h4.6M8 8h5.8M8 11h4.6" />,
  play: <path d="M4.5 3v10l8-5z" fill="currentColor" />,
  resume: <path d="M3.5 3.5v9M7 3.2v9.6L13.8 8z" />,
  pause: <path d="M5.5 3.5v9M10.5 3.5v9" strokeWidth="2" />,
  stop: <path d="M4 4h8v8H4z" fill="currentColor" />,
  again: <path d="M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3" />,
  check: <path d="m3 8.5 3.2 3.2L13 5" />,
  down: <path d="M8 3v10M3.5 8.5 8 13l4.5-4.5" />,
  alert: <path d="M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.01" />,
  arrow: <path d="M2.5 8h11M9.5 4l4 4-4 4" />,
  close: <path d="m4 4 8 8M12 4l-8 8" />,
  search: <path d="M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3l3.4 3.4" />,
  help: <path d="M6 6.2a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.2M8 11.6v.01M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8z" />,
} satisfies Record<string, ReactNode>

export type IconName = keyof typeof PATHS

/** A decoration: what it means is said in words beside it. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {PATHS[name]}
    </svg>
  )
}
