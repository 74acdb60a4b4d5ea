import { expect, test } from 'vitest'
import { printed, split } from './words'

test('what is sought is cut out wherever it stands, in whatever case', () => {
  expect(split('Reading rows, reading on', 'reading')).toEqual(['', 'Reading', ' rows, ', 'reading', ' on'])
  expect(split('nothing here', 'x')).toEqual(['nothing here'])
  expect(split('all', '')).toEqual(['all'])
})

test('what is sought is text and no pattern', () => {
  expect(split('a.b axb (', 'a.b')).toEqual(['', 'a.b', ' axb ('])
  expect(split('f(x)', '(')).toEqual(['f', '(', 'x)'])
})

test('a line is copied as the file has it', () => {
  const line = { n: 7, at: '2026-11-24T12:00:00Z', level: 'error', message: 'Boom:\nthere', stream: 'orders', attempt: 1 } as const
  expect(printed(line)).toBe('7\t2026-11-24T12:00:00Z\terror\torders: Boom:\n    there')
})
