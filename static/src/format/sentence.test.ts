import { expect, test } from 'vitest'
import { sentence } from './sentence'

test('what was said becomes a sentence, once', () => {
  expect(sentence('no answer within 4.5 s')).toBe('No answer within 4.5 s.')
  expect(sentence('The server does not answer.')).toBe('The server does not answer.')
})
