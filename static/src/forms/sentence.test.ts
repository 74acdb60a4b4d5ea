import { expect, test } from 'vitest'
import { sentenceOf } from './sentence'

const orders = { name: 'orders', mode: 'incremental', cursor: 'updated_at', key: ['id'], write: 'upsert' }
const draft = { source: 'shop', destination: 'lake' }

test('streams that are treated alike are named together', () => {
  const streams = [orders, { ...orders, name: 'items', target: 'lines' }, { name: 'countries' }]
  expect(sentenceOf({ ...draft, streams }, 'every 15 minutes')).toBe(
    'Every 15 minutes, syncworker reads from shop and writes to lake: it updates the rows of orders and items (as lines) that ' +
      'changed by updated_at, found again by id, and copies countries whole and swaps the copy in; a run that would shrink a ' +
      'table by more than 20% waits for a person’s yes.',
  )
})

test('no schedule is said, and so are guards that are off', () => {
  const streams = [{ name: 'orders', write: 'mirror', key: ['id'] }]
  const said = sentenceOf({ ...draft, streams, guards: false }, null)
  expect(said).toMatch(/^Whenever someone asks for it, /)
  expect(said).toMatch(/deletes those that shop no longer has; no guard holds a run that removes much\.$/)
})

test('what removes nothing says nothing of guards', () => {
  expect(sentenceOf({ ...draft, streams: [orders] }, 'every minute')).not.toMatch(/guard|waits/)
})
