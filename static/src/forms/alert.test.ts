import { expect, test } from 'vitest'
import { sampleAlert } from '../api/samples'
import { alertDocument, bodyOf, isReference, lacking, makeSecret, NEW, shownSecret, storable, typedSecret } from './alert'

const MASK = '********'

test('a saved alert becomes what a person said of it', () => {
  const document = alertDocument(sampleAlert({ url: MASK, jobs: ['orders'] }))
  expect(document).toEqual({ ...NEW, url: MASK, jobs: ['orders'] })
})

test('a secret that is kept shows nothing, a reference shows itself', () => {
  expect(shownSecret(MASK, MASK)).toBe('')
  expect(shownSecret('${CHAT}', '${CHAT}')).toBe('${CHAT}')
  expect(shownSecret('https://new.example', MASK)).toBe('https://new.example')
  expect(typedSecret('', MASK)).toBe(MASK)
  expect(typedSecret('', null)).toBe('')
})

test('what is stored in the browser has no secret', () => {
  const kept = { ...NEW, url: MASK, secret: MASK }
  const typed = { ...kept, url: 'https://chat.example/T1/secret', secret: 'whsec_c2VjcmV0', failures: 3 }
  expect(storable(typed, kept)).toEqual({ ...kept, failures: 3 })
  expect(storable({ ...typed, url: '${CHAT_URL}', secret: null }, kept)).toMatchObject({ url: '${CHAT_URL}', secret: null })
  expect(JSON.stringify(storable(typed, NEW))).not.toMatch(/T1|whsec/)
  expect(isReference('https://${HOST}/x')).toBe(false)
  expect(isReference('${A}secret${B}')).toBe(false)
})

test('a chat gets no signature', () => {
  expect(bodyOf({ ...NEW, url: ' https://x ', secret: 'a secret of some length' })).toMatchObject({ url: 'https://x', secret: 'a secret of some length' })
  expect(bodyOf({ ...NEW, format: 'slack', secret: 'a secret of some length' }).secret).toBeNull()
})

test('what is lacking is told at its field', () => {
  expect(lacking({ ...NEW, url: 'https://x' }, 'team-chat')).toEqual({})
  expect(Object.keys(lacking({ ...NEW, failures: '', stale: '' }, 'Team Chat'))).toEqual(['id', 'url', 'failures', 'stale'])
  expect(Object.keys(lacking({ ...NEW, url: 'https://x' }, 'new'))).toEqual(['id'])
  expect(lacking({ ...NEW, url: 'https://x' }, null)).toEqual({})
  expect(Object.keys(lacking({ ...NEW, url: 'https://x', secret: '' }, null))).toEqual(['secret'])
  expect(lacking({ ...NEW, url: 'https://x', secret: '', format: 'slack' }, null)).toEqual({})
})

test('a made secret is 32 bytes that are new each time', () => {
  const made = [makeSecret(), makeSecret()]
  expect(new Set(made).size).toBe(2)
  for (const one of made) expect(atob(one.replace(/^whsec_/, ''))).toHaveLength(32)
})
