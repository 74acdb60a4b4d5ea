import { expect, test } from 'vitest'
import { placesOf } from './checkpoint'

test('a place in the order of some columns is told by column', () => {
  const value = { by: ['updated_at', 'id'], after: [{ t: 'text', v: '2026-11-24' }, { t: 'integer', v: 479 }] }
  expect(placesOf(value)).toEqual([
    ['updated_at', '2026-11-24'],
    ['id', '479'],
  ])
})

test.each([null, 'token', { offset: 7 }, { by: ['id'], after: [] }, { by: ['id'], after: [7] }])('any other is left to its JSON: %j', (value) => {
  expect(placesOf(value)).toBeNull()
})
