/** What a job will do, said once, in one sentence. */
import { guardOf, keyed, modeOf, streamsOf, writeOf } from './job'
import { text, texts, type Json } from './path'

/** `words` is the schedule in the server's words; null where there is none. */
export function sentenceOf(draft: Json, words: string | null): string {
  const [source, destination] = [text(draft, 'source'), text(draft, 'destination')]
  const groups = new Map<string, string[]>()
  for (const stream of streamsOf(draft)) {
    const [name, target] = [text(stream, 'name'), text(stream, 'target')]
    const deed = deedOf(stream, source)
    groups.set(deed, [...(groups.get(deed) ?? []), target && target !== name ? `${name} (as ${target})` : name])
  }
  const deeds = [...groups].map(([deed, names]) => deed.replace('{}', listed(names)))
  const when = words === null ? 'Whenever someone asks for it' : capital(words)
  return `${when}, syncworker reads from ${source} and writes to ${destination}: it ${deeds.join(', and ')}${guardWords(draft)}.`
}

function deedOf(stream: Json, source: string): string {
  const [write, key] = [writeOf(stream), listed(texts(stream, 'key'))]
  const by = key ? `, found again by ${key}` : ''
  if (modeOf(stream) === 'incremental') {
    const cursor = text(stream, 'cursor')
    return write === 'append'
      ? `adds the rows of {} that are new by ${cursor}`
      : `updates the rows of {} that changed by ${cursor}${by}`
  }
  switch (write) {
    case 'replace':
      return 'copies {} whole and swaps the copy in'
    case 'append':
      return 'adds all rows of {} once more'
    case 'upsert':
      return `reads {} whole and updates its rows${by}`
    case 'mirror':
      return `reads {} whole, updates its rows${by}, and deletes those that ${source} no longer has`
  }
}

/** Guards say something only where something may be removed. */
function guardWords(draft: Json): string {
  const writes = new Set(streamsOf(draft).map(writeOf))
  const [shrink, remove] = [guardOf(draft, 'max_shrink'), guardOf(draft, 'max_delete')]
  const guarded = [
    ...(writes.has('replace') && shrink !== null ? [`shrink a table by more than ${shrink}`] : []),
    ...(writes.has('mirror') && remove !== null ? [`delete more than ${remove} of the rows`] : []),
  ]
  if (guarded.length > 0) return `; a run that would ${listed(guarded, 'or')} waits for a person’s yes`
  return writes.has('replace') || writes.has('mirror') ? '; no guard holds a run that removes much' : ''
}

export function listed(items: string[], and = 'and'): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} ${and} ${items.at(-1) ?? ''}`
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The write of a stream in a line, for lists. */
export function inShort(stream: Json): string {
  const key = texts(stream, 'key')
  const parts = [modeOf(stream) === 'incremental' ? `what changed by ${text(stream, 'cursor') || '…'}` : 'all rows', writeOf(stream)]
  if (keyed(writeOf(stream)) && key.length > 0) parts.push(`by ${listed(key)}`)
  return parts.join(', ')
}
