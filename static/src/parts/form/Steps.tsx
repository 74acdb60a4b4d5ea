import '../../styles/forms.css'
import { Link } from 'wouter'

interface StepsProps {
  steps: { name: string; title: string; href: string; reachable: boolean; wrong: boolean }[]
  chosen: string
}

/** The way through a form of several pages: where one is, and where one can go. */
export function Steps({ steps, chosen }: StepsProps) {
  const place = steps.findIndex(({ name }) => name === chosen)
  return (
    <nav className="wizard-steps" aria-label="Steps">
      <ol>
        {steps.map(({ name, title, href, reachable, wrong }, index) => {
          const done = index < place && !wrong
          const mark = (
            <>
              <span className={wrong ? 'step-mark bad' : done ? 'step-mark good' : 'step-mark'} aria-hidden="true">
                {wrong ? '!' : done ? '✓' : index + 1}
              </span>
              <span className="step-title">{title}</span>
              {wrong && <span className="hidden"> has a fault</span>}
            </>
          )
          return (
            <li key={name}>
              {reachable || name === chosen ? (
                <Link href={href} aria-current={name === chosen ? 'step' : undefined}>
                  {mark}
                </Link>
              ) : (
                <span className="muted">{mark}</span>
              )}
            </li>
          )
        })}
      </ol>
    </nav>
  )
}
