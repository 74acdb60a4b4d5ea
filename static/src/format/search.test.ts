import { describe, expect, test } from 'vitest'
import { completed, suggestions, terms, unfinished, without } from './search'

const texts = (search: string, caret = search.length, connections: string[] = ['shop', 'lake']) =>
  suggestions(search, caret, connections).map(({ text }) => text)

describe('the terms of a search', () => {
  test('are words, fields with values, and their opposites', () => {
    expect(terms('shop source:lake -is:failed id:"two words" "as one"').map(({ text }) => text)).toEqual([
      ...['shop', 'source:lake', '-is:failed', 'id:"two words"', '"as one"'],
    ])
    expect(terms('  ')).toEqual([])
  })

  test('can be taken out one by one', () => {
    const search = 'shop  is:late  -owner:x'
    expect(terms(search).map((term) => without(search, term))).toEqual(['is:late -owner:x', 'shop -owner:x', 'shop is:late'])
  })

  test('are not lost by a quote that is not closed yet', () => {
    expect(terms('id:"two wo').map(({ text }) => text)).toEqual(['id:"two wo'])
  })
})

describe('what is suggested', () => {
  test('are fields at first, and those that begin as what is typed', () => {
    expect(texts('')).toContain('is:')
    expect(texts('so')).toEqual(['source:'])
    expect(texts('shop -so')).toEqual(['-source:'])
    expect(texts('shop')).toEqual([])
  })

  test('are the values of a field that is begun', () => {
    expect(texts('is:f')).toEqual(['is:failed'])
    expect(texts('-is:ste')).toEqual(['-is:in-step'])
    expect(texts('source:')).toEqual(['source:shop', 'source:lake'])
    expect(texts('destination:l')).toEqual(['destination:lake'])
    expect(texts('stream:o')).toEqual([])
  })

  test('are first those that begin as what is typed, then those that have it', () => {
    expect(texts('is:in')).toEqual(['is:in-step', 'is:retrying', 'is:running'])
  })

  test('is nothing where the value stands there already', () => {
    expect(texts('is:failed')).toEqual([])
  })

  test('belongs to the term under the caret', () => {
    expect(texts('so is:failed', 2)).toEqual(['source:'])
  })
})

test('a term that is only begun is not searched for yet', () => {
  expect(unfinished('shop -is:fai')).toBe(true)
  expect(unfinished('is:failed shop')).toBe(false)
  expect(unfinished('is:nonsense')).toBe(false)
  expect(unfinished('is:')).toBe(true)
  expect(unfinished('shop source:')).toBe(true)
  expect(unfinished('')).toBe(false)
})

describe('a suggestion that is taken', () => {
  test('replaces the term under the caret, and lets one type on', () => {
    expect(completed('shop is:f', 9, 'is:failed')).toEqual({ search: 'shop is:failed ', caret: 15 })
    expect(completed('so is:failed', 2, 'source:')).toEqual({ search: 'source: is:failed', caret: 7 })
    expect(completed('is:f shop', 4, 'is:failed')).toEqual({ search: 'is:failed shop', caret: 9 })
    expect(completed('', 0, 'is:')).toEqual({ search: 'is:', caret: 3 })
  })
})
