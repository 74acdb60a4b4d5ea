/** The steps of a new job: which there are, which is ready, and to which a fault sends one back. */
import type { Fault } from '../api/client'
import { keyed, modeOf, streamsOf, writeOf } from './job'
import { get, text, texts, type Json } from './path'

export const STEPS = ['source', 'destination', 'streams', 'write', 'schedule', 'safety', 'review'] as const
export type Step = (typeof STEPS)[number]

export const TITLES: Record<Step, string> = {
  source: 'Source',
  destination: 'Destination',
  streams: 'Streams',
  write: 'Mode and write',
  schedule: 'Schedule',
  safety: 'Safety',
  review: 'Review',
}

export function stepOf(value: string | null): Step {
  return STEPS.find((step) => step === value) ?? 'source'
}

export function neighbour(step: Step, by: 1 | -1): Step | null {
  return STEPS[STEPS.indexOf(step) + by] ?? null
}

/** What keeps a step from being ready, each in a sentence; nothing where it is. */
export function missing(step: Step, draft: Json): string[] {
  switch (step) {
    case 'source':
      return text(draft, 'source') ? [] : ['Choose where to read from.']
    case 'destination':
      return text(draft, 'destination') ? [] : ['Choose where to write to.']
    case 'streams':
      return streamsOf(draft).length > 0 ? [] : ['Choose at least one stream.']
    case 'write':
      return streamsOf(draft).flatMap(lacking)
    case 'schedule':
      return get(draft, 'schedule') === undefined || text(draft, 'schedule.cron') || text(draft, 'schedule.every')
        ? []
        : ['Say how often, or choose “by hand only”.']
    case 'safety':
      return []
    case 'review':
      return isId(text(draft, 'id')) ? [] : ['Give the job a name: small letters, digits, - and _, such as shop-to-lake.']
  }
}

function lacking(stream: Json): string[] {
  const name = text(stream, 'name')
  const without: string[] = []
  if (modeOf(stream) === 'incremental' && !text(stream, 'cursor')) without.push(`${name}: choose the column that orders its rows.`)
  // Rows of MongoDB have a key of their own; that server is asked, not we.
  if (keyed(writeOf(stream)) && texts(stream, 'key').length === 0) without.push(`${name}: choose the columns that tell its rows apart.`)
  return without
}

/** The first step that is not ready, up to and without `step`: one cannot be beyond it. */
export function reachable(step: Step, draft: Json): Step {
  const before = STEPS.slice(0, STEPS.indexOf(step))
  return before.find((one) => missing(one, draft).length > 0) ?? step
}

/** The step that shows a field of the job. */
export function stepOfFault({ field }: Fault): Step {
  const top = /^[^.[]*/.exec(field)?.[0] ?? ''
  if (top === 'source' || top === 'destination' || top === 'schedule') return top
  if (top === 'streams') return /^streams(\[\d+\]\.name)?$/.test(field) ? 'streams' : 'write'
  return ['guards', 'retry', 'timeout', 'overlap', 'catch_up', 'verify', 'undo', 'schema'].includes(top) ? 'safety' : 'review'
}

export const ID = /^[a-z0-9][a-z0-9_-]{0,62}$/

export function isId(value: string): boolean {
  return ID.test(value)
}

/** A name to begin with; not one that is taken. */
export function idFor(draft: Json, taken: ReadonlySet<string>): string {
  const [first, ...others] = streamsOf(draft).map((stream) => text(stream, 'name'))
  const begun = slug(others.length === 0 && first ? first : `${text(draft, 'source')}-to-${text(draft, 'destination')}`)
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? begun : `${begun.slice(0, 59)}-${number}`
    if (!taken.has(id) && id !== 'new') return id
  }
}

function slug(value: string): string {
  const plain = value.toLowerCase().replace(/[^a-z0-9_-]+/g, '-')
  return plain.replace(/^[^a-z0-9]+|-+$/g, '').slice(0, 63) || 'job'
}
