import { describe, expect, test, vi } from 'vitest'
import { ApiError, request, withQuery } from './client'

function answer(status: number, body: string, type = 'application/json') {
  const spy = vi.fn(() => Promise.resolve(new Response(body, { status, headers: { 'Content-Type': type } })))
  vi.stubGlobal('fetch', spy)
  return spy
}

describe('the fetch wrapper', () => {
  test('gives the JSON of a good answer', async () => {
    answer(200, '{"items": [1], "next": null}')
    expect(await request('/api/jobs')).toEqual({ items: [1], next: null })
  })

  test('sends a body as JSON', async () => {
    const spy = answer(202, '{}')
    await request('/api/login', { method: 'POST', body: { password: 'x' } })
    expect(spy).toHaveBeenCalledWith('/api/login', expect.objectContaining({ method: 'POST', body: '{"password":"x"}' }))
  })

  test('makes a problem an error that says every fault', async () => {
    answer(422, '{"title": "Bad input", "errors": [{"field": "key", "message": "is missing"}]}', 'application/problem+json')
    const error = await request('/api/jobs').catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ status: 422, message: 'Bad input\nkey: is missing' })
  })

  test('says so where the answer is no JSON', async () => {
    answer(502, '<html>Bad gateway</html>', 'text/html')
    await expect(request('/api/jobs')).rejects.toThrow('answered 502, and not in JSON')
  })

  test('says so where nobody answers', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
    await expect(request('/api/jobs')).rejects.toMatchObject({ status: 0, message: 'The server does not answer.' })
  })
})

test('a query leaves out what is not set', () => {
  expect(withQuery('/api/runs', { job: 'orders', state: '', after: null, limit: 50 })).toBe('/api/runs?job=orders&limit=50')
  expect(withQuery('/api/runs', { job: undefined })).toBe('/api/runs')
})
