import { describe, expect, test } from 'vitest'
import type { Connector } from '../api/wire'
import { entered, fieldsOf, settingsOf } from './schema'

const connector: Connector = {
  name: 'shop',
  secrets: ['url'],
  settings: {
    required: ['url', 'database'],
    properties: {
      url: { type: 'string', secret: true, description: 'where the server is' },
      database: { type: 'string', maxLength: 63 },
      format: { anyOf: [{ enum: ['csv', 'jsonl'], type: 'string' }, { type: 'null' }], default: null },
      port: { type: 'integer', default: 5432, minimum: 1 },
      tls: { type: 'boolean', default: true },
      null_values: { type: 'array', items: { type: 'string' }, default: [] },
      headers: { type: 'object', default: {} },
    },
  },
}
const fields = fieldsOf(connector)

test('each setting becomes the field of its type', () => {
  expect(fields.map(({ name, kind }) => [name, kind])).toEqual([
    ['url', 'secret'],
    ['database', 'text'],
    ['format', 'choice'],
    ['port', 'number'],
    ['tls', 'flag'],
    ['null_values', 'list'],
    ['headers', 'json'],
  ])
  expect(fields[0]).toMatchObject({ label: 'URL', required: true, help: 'Where the server is' })
  expect(fields[2]).toMatchObject({ choices: ['csv', 'jsonl'], required: false, fallback: '' })
  expect(fields[3]).toMatchObject({ fallback: '5432', minimum: 1 })
  expect(fields[5]).toMatchObject({ label: 'Null values' })
})

describe('what is typed', () => {
  test('becomes settings of their types; what is left empty is not said', () => {
    const given = { url: 'pg://x', database: ' lake ', port: '5433', tls: 'false', null_values: 'NA, -', headers: '{"a": 1}' }
    expect(settingsOf(fields, given)).toEqual({
      settings: { url: 'pg://x', database: 'lake', port: 5433, tls: false, null_values: ['NA', '-'], headers: { a: 1 } },
      faults: {},
    })
  })

  test('and is wrong is told at its field', () => {
    expect(settingsOf(fields, { port: 'many', headers: '{' }).faults).toEqual({
      url: 'is needed',
      database: 'is needed',
      port: 'is no number',
      headers: 'is no JSON',
    })
  })

  test('may leave out a secret that is saved already', () => {
    expect(settingsOf(fields, { database: 'lake' }, true)).toEqual({ settings: { database: 'lake' }, faults: {} })
  })
})

test('a saved secret is never put into its field', () => {
  expect(entered(fields, { url: 'pg://user:********@host', database: 'lake', port: 5433 })).toEqual({ database: 'lake', port: '5433' })
})
