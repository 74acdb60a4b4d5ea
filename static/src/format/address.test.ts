import { expect, test } from 'vitest'
import { within } from './address'

const here = 'https://sync.example'

test.each(['/', '/runs?state=failed', '/jobs/orders#runs'])('%s is ours', (next) => {
  expect(within(next, here)).toBe(next)
})

test.each([null, 'https://evil.example/', '//evil.example', '/\\evil.example', '/\t/evil.example', 'javascript:alert(1)', 'http://['])(
  '%j is not, and leads to the overview',
  (next) => {
    expect(within(next, here)).toBe('/')
  },
)
