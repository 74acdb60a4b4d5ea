/** Who led when, and how it passed on. */
import type { Instance, Lease, Term } from '../api/wire'
import { span } from './time'

export interface TermTold {
  term: Term
  /** How long it lasted, or lasts until `now`, in ms. */
  lasted: number
  /** How long nobody led before it, in ms; null for the oldest that is known. */
  gap: number | null
}

/** `terms` come newest first. */
export function toldTerms(terms: readonly Term[], now: number): TermTold[] {
  return terms.map((term, index) => {
    const before = terms[index + 1]
    const gap = before?.ended_at ? span(before.ended_at, term.gained_at) : null
    const lasted = Math.max(0, span(term.gained_at, term.ended_at ?? now) ?? 0)
    return { term, lasted, gap: gap === null ? null : Math.max(0, gap) }
  })
}

const HOW: Partial<Record<string, string>> = {
  released: 'It stopped, or was drained, and let go cleanly.',
  expired: 'It vanished: nothing was heard of it until its lease ran out, and another took over.',
  lost: 'It noticed that its lease had run out, and stopped leading.',
}

/** What an ending means; null for a word that we do not know. */
export function howWords(how: string | null): string | null {
  return HOW[how ?? ''] ?? null
}

export type Role = 'leads' | 'stands by' | 'drains' | 'drained' | 'silent' | 'takes no runs'

/** What an instance is now. */
export function roleOf(instance: Instance, lease: Lease | null): Role {
  if (!instance.live) return 'silent'
  const leads = lease?.live === true && lease.instance === instance.id
  if (instance.draining) return leads || instance.active_runs.length > 0 ? 'drains' : 'drained'
  if (leads) return 'leads'
  return instance.slots > 0 ? 'stands by' : 'takes no runs'
}
