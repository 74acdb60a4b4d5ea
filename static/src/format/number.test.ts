import { describe, expect, test } from 'vitest'
import { bytes, count, perSecond, plural } from './number'

describe('numbers', () => {
  test('get thousands marks', () => {
    expect(count(0)).toBe('0')
    expect(count(1234567)).toBe('1,234,567')
  })

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1234567, '1.23 MB'],
    [999_999_999, '1 GB'],
  ])('%d bytes read %s', (value, text) => {
    expect(bytes(value)).toBe(text)
  })

  test('rates keep a decimal while they are small', () => {
    expect(perSecond(0)).toBe('0/s')
    expect(perSecond(2.345)).toBe('2.3/s')
    expect(perSecond(12345.6)).toBe('12,346/s')
  })

  test('nouns follow their number', () => {
    expect(plural(1, 'job')).toBe('1 job')
    expect(plural(1200, 'job')).toBe('1,200 jobs')
    expect(plural(2, 'is', 'are')).toBe('2 are')
  })
})
