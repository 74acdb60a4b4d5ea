/** What a run's error names of its job, as a place of the job's document. */
import { streamsOf } from './job'
import { text, type Json } from './path'

/** A stream's name, `streams.NAME.cursor`, or a place as it is: `streams[0].cursor`, `timeout`. */
export function placeOf(named: string, draft: Json): string {
  const names = streamsOf(draft).map((stream) => text(stream, 'name'))
  const whole = named.replace(/^streams\./, '')
  const index = names.findIndex((name) => whole === name || whole.startsWith(`${name}.`))
  return index < 0 ? named : `streams[${index}]${whole.slice((names[index] ?? '').length)}`
}
