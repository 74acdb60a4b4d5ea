/** An alert as the document that its form and the server share: whole, so that saving it says everything. */
import type { Alert, Format } from '../api/wire'
import { isId } from './steps'

// A type and not an interface: only those are mappings too.
export type AlertDocument = {
  /** As the server told it where it is kept: asterisks, or references. */
  url: string
  format: Format
  /** Null: nothing is signed. */
  secret: string | null
  /** Null: all jobs. */
  jobs: string[] | null
  /** Null: never told. A text while it is no number yet. */
  failures: number | string | null
  recovery: boolean
  held: boolean
  stale: string | null
  enabled: boolean
}

export const NEW: AlertDocument = {
  url: '',
  format: 'json',
  secret: null,
  jobs: null,
  failures: 1,
  recovery: true,
  held: true,
  stale: null,
  enabled: true,
}

/** The fields that show their own faults. */
export const SHOWN = ['id', ...Object.keys(NEW)]

const NAMES = Object.keys(NEW) as (keyof AlertDocument)[]

/** What a person said of a saved alert. */
export function alertDocument(alert: Alert): AlertDocument {
  return Object.fromEntries(NAMES.map((name) => [name, alert[name]])) as AlertDocument
}

const MASK = '********'

/** A secret as its field shows it: nothing where the server keeps it to itself. */
export function shownSecret(value: string | null, kept: string | null): string {
  return value === null || (value === kept && value.includes(MASK)) ? '' : value
}

/** What was typed into a secret's field; nothing typed keeps what there is. */
export function typedSecret(typed: string, kept: string | null): string {
  return typed === '' ? (kept ?? '') : typed
}

/** Whether a text only names a secret, which may be seen. */
export function isReference(text: string): boolean {
  return /^(\$\{[^}]*\}|file:.+)$/.test(text.trim())
}

/** The document without what must not be written to the browser's storage. */
export function storable(document: AlertDocument, kept: AlertDocument): AlertDocument {
  const safe = (value: string, before: string | null) => (isReference(value) ? value : (before ?? ''))
  const { url, secret } = document
  return { ...document, url: safe(url, kept.url), secret: secret === null ? null : safe(secret, kept.secret) }
}

/** As it is sent: only JSON is signed. */
export function bodyOf(document: AlertDocument): AlertDocument {
  return { ...document, url: document.url.trim(), secret: document.format === 'json' ? (document.secret?.trim() ?? null) : null }
}

/** What is wrong before the server need be asked. `id` null: it has one already. */
export function lacking(document: AlertDocument, id: string | null): Record<string, string> {
  const faults: Record<string, string> = {}
  if (id !== null && (!isId(id) || id === 'new')) faults.id = 'needs small letters, digits, - or _, such as team-chat'
  if (document.url.trim() === '') faults.url = 'is needed'
  if (document.format === 'json' && document.secret?.trim() === '') faults.secret = 'is needed to sign; or do not sign'
  if (document.failures === '') faults.failures = 'needs a number from 1 to 100'
  if (document.stale?.trim() === '') faults.stale = 'needs a duration, such as 2h'
  return faults
}

const KEY_BYTES = 32

/** A signing secret nobody can guess, as Standard Webhooks spells them. */
export function makeSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  return `whsec_${btoa(String.fromCharCode(...bytes))}`
}
