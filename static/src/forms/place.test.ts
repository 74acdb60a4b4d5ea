import { expect, test } from 'vitest'
import { placeOf } from './place'

const draft = { streams: [{ name: 'orders' }, { name: 'sales.items' }] }

test.each([
  ['orders', 'streams[0]'],
  ['streams.orders.cursor', 'streams[0].cursor'],
  ['sales.items', 'streams[1]'],
  ['streams.sales.items.key', 'streams[1].key'],
  ['timeout', 'timeout'],
  ['streams[0].key', 'streams[0].key'],
])('%s is at %s', (named, place) => {
  expect(placeOf(named, draft)).toBe(place)
})
