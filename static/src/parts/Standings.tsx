import { Link } from 'wouter'
import type { Summary } from '../api/wire'
import { searchWord, STANDING_WORDS, STANDINGS } from '../format/health'
import { count } from '../format/number'
import { STANDING_SHAPES } from './JobState'
import { StateGlyph, TONES } from './State'

/** How many jobs stand how; each count leads to its jobs. */
export function Standings({ standings, href }: { standings: Summary['standings']; href: (word: string) => string }) {
  return (
    <ul className="standings" aria-label="Jobs by how they stand">
      {STANDINGS.filter((one) => (standings[one] ?? 0) > 0).map((one) => (
        <li key={one}>
          <Link href={href(`is:${searchWord(one)}`)} className={`state ${TONES[STANDING_SHAPES[one]]}`}>
            <StateGlyph state={STANDING_SHAPES[one]} />
            {count(standings[one] ?? 0)} {STANDING_WORDS[one]}
          </Link>
        </li>
      ))}
    </ul>
  )
}
