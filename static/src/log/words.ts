import type { LogLine } from '../api/wire'

/** `text` cut at every place where `words` stands, in whatever case: what is between at even places, the words at odd ones. */
export function split(text: string, words: string): string[] {
  if (words === '') return [text]
  const sought = new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'giu')
  const parts: string[] = []
  let end = 0
  for (const found of text.matchAll(sought)) {
    parts.push(text.slice(end, found.index), found[0])
    end = found.index + found[0].length
  }
  return [...parts, text.slice(end)]
}

/** A line as the file of the whole log has it. */
export function printed({ n, at, level, stream, message }: LogLine): string {
  return `${n}\t${at}\t${level}\t${stream ? `${stream}: ` : ''}${message.replaceAll('\n', '\n    ')}`
}
