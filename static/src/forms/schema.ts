/** A connector's JSON schema as the fields of a form, and what was entered as settings. */
import type { Connector } from '../api/wire'
import { isMapping, type Json } from './path'

export type Kind = 'text' | 'secret' | 'choice' | 'number' | 'flag' | 'list' | 'json'

export interface FieldShape {
  name: string
  label: string
  kind: Kind
  required: boolean
  /** What it is for, as the connector says it. */
  help: string
  choices: string[]
  /** As it stands in the empty field. */
  fallback: string
  minimum: number | null
  maximum: number | null
}

/** What is in the fields: always texts, as they were typed. */
export type Entered = Record<string, string>

export function fieldsOf(connector: Connector): FieldShape[] {
  const { properties, required } = connector.settings
  const needed = Array.isArray(required) ? required : []
  if (!isMapping(properties)) return []
  const fields = Object.entries(properties).filter((entry): entry is [string, Json] => isMapping(entry[1]))
  return fields.map(([name, given]) => {
    const shape = told(given)
    const secret = connector.secrets.includes(name) || given.secret === true
    return {
      name,
      label: words(name),
      kind: secret ? 'secret' : kindOf(shape),
      required: needed.includes(name),
      help: typeof given.description === 'string' ? helpOf(given.description) : '',
      choices: choicesOf(shape),
      fallback: shownAs(given.default),
      minimum: numberOf(shape.minimum),
      maximum: numberOf(shape.maximum),
    }
  })
}

/** The one branch of `anyOf: [that, null]`, with what is said around it. */
function told(shape: Json): Json {
  const branches = shape.anyOf ?? shape.oneOf
  if (!Array.isArray(branches)) return shape
  const real = (branches as unknown[]).filter((one): one is Json => isMapping(one) && one.type !== 'null')
  return real.length === 1 && real[0] ? { ...shape, ...real[0] } : shape
}

function kindOf(shape: Json): Kind {
  if (Array.isArray(shape.enum)) return 'choice'
  if (shape.type === 'boolean') return 'flag'
  if (shape.type === 'integer' || shape.type === 'number') return 'number'
  if (shape.type === 'string') return 'text'
  if (shape.type === 'array' && isMapping(shape.items) && shape.items.type === 'string') return 'list'
  return 'json'
}

function choicesOf(shape: Json): string[] {
  return Array.isArray(shape.enum) ? shape.enum.map((one) => String(one)) : []
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function shownAs(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.join(', ') : JSON.stringify(value)
}

const CAPITALS = new Set(['url', 'id', 'tls', 'ssl', 'uri', 'api', 'http'])

/** `base_url` -> "Base URL". */
function words(name: string): string {
  const parts = name.split('_').map((part) => (CAPITALS.has(part) ? part.toUpperCase() : part))
  return sentence(parts.join(' '))
}

/** An example of an address stays as it must be typed. */
function helpOf(description: string): string {
  return /^[a-z+]+:\/\//.test(description) ? `Such as ${description}` : sentence(description)
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** A saved connection's settings as the form shows them; a secret stays out, whatever the server says of it. */
export function entered(fields: FieldShape[], settings: Json): Entered {
  const known = fields.filter(({ name, kind }) => kind !== 'secret' && settings[name] !== undefined && settings[name] !== null)
  return Object.fromEntries(known.map(({ name }) => [name, shownAs(settings[name])]))
}

export interface Read {
  settings: Json
  /** By field: what is wrong with what was typed. */
  faults: Record<string, string>
}

/** The settings that the form says. An empty field says nothing; an empty secret of a saved connection stays as it was. */
export function settingsOf(fields: FieldShape[], given: Entered, saved = false): Read {
  const settings: Json = {}
  const faults: Record<string, string> = {}
  for (const field of fields) {
    const value = (given[field.name] ?? '').trim()
    if (value === '') {
      if (field.required && !(saved && field.kind === 'secret')) faults[field.name] = 'is needed'
      continue
    }
    const read = convert(field, value)
    if (read === undefined) faults[field.name] = field.kind === 'number' ? 'is no number' : 'is no JSON'
    else settings[field.name] = read
  }
  return { settings, faults }
}

function convert({ kind }: FieldShape, value: string): unknown {
  switch (kind) {
    case 'text':
    case 'secret':
    case 'choice':
      return value
    case 'flag':
      return value === 'true'
    case 'number':
      return Number.isFinite(Number(value)) ? Number(value) : undefined
    case 'list':
      return names(value)
    case 'json':
      try {
        return JSON.parse(value) as unknown
      } catch {
        return undefined
      }
  }
}

/** "id, region" -> ["id", "region"]. */
export function names(value: string): string[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}
