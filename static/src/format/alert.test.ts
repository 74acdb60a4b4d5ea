import { describe, expect, test } from 'vitest'
import { sampleAlert, sampleDelivery } from '../api/samples'
import { faringOf, hostOf, occasions, placeOf, promiseOf, rulesSentence, spaced, watches, type Rules } from './alert'

const rules = (over: Partial<Rules> = {}): Rules => ({ failures: 1, recovery: true, held: true, stale: null, ...over })

describe('when an alert speaks', () => {
  test('is one sentence', () => {
    expect(rulesSentence(rules())).toBe('When a job fails, when it is in step again, and when a run of it is held.')
    expect(rulesSentence(rules({ failures: 3, held: false }))).toBe('When a job has failed 3 times in a row and when it is in step again.')
    expect(rulesSentence(rules({ recovery: false, held: false }))).toBe('When a job fails.')
    expect(rulesSentence(rules({ failures: null, stale: '2h' }))).toBe(
      'When a run of a job is held, when its data is older than 2 h, and when that is fresh again.',
    )
    expect(rulesSentence(rules({ failures: null, held: false, stale: '1h30m', recovery: false }))).toBe(
      'When the data of a job is older than 1 h 30 min.',
    )
  })

  test('is never where nothing is chosen, for a recovery needs something before it', () => {
    expect(occasions(rules({ failures: null, held: false }))).toEqual([])
    expect(rulesSentence(rules({ failures: null, held: false }))).toBe('Never: nothing is chosen.')
  })

  test('is told while it is still being typed', () => {
    expect(rulesSentence(rules({ failures: '', held: false, recovery: false }))).toBe('When a job fails.')
    expect(rulesSentence(rules({ failures: null, held: false, recovery: false, stale: '' }))).toBe('When the data of a job is older than ….')
  })
})

describe('the promise of an alert', () => {
  const only = rules({ recovery: false, held: false })
  const told = (jobs: string[] | null) => promiseOf(only, jobs, 'chat.example')

  test('names who is told, and of which jobs', () => {
    expect(told(null)).toBe('It tells chat.example when any job fails. Each is told once, however long it lasts.')
    expect(told(['orders'])).toContain('when orders fails')
    expect(told(['a', 'b', 'c'])).toContain('when a, b or c fails')
    expect(told(['a', 'b', 'c', 'd', 'e'])).toContain('when a, b or one of 3 other jobs fails')
    expect(promiseOf(only, null, null)).toContain('It tells the URL when')
  })

  test('says what is still missing', () => {
    expect(told([])).toBe('It tells nothing yet: choose at least one job.')
    expect(promiseOf(rules({ failures: null, held: false }), null, 'x')).toBe('It tells nothing yet: choose when it speaks.')
  })
})

test('a duration is told with its units apart', () => {
  expect(spaced('90s')).toBe('90 s')
  expect(spaced('1d12h')).toBe('1 d 12 h')
  expect(spaced('soon')).toBe('soon')
})

test('a URL tells its host, unless the server puts it in', () => {
  expect(hostOf(' https://hooks.example/T1/secret ')).toBe('hooks.example')
  expect(hostOf('http://user:word@127.0.0.1:8080/x')).toBe('127.0.0.1:8080')
  for (const none of ['', '${CHAT_URL}', 'https://${HOST}/x', 'https://********/x', 'ftp://files.example']) expect(hostOf(none)).toBeNull()
})

test('where messages go is the host, or the reference that stands for it', () => {
  expect(placeOf({ host: 'chat.example', url: '********' })).toBe('chat.example')
  expect(placeOf({ host: null, url: '${CHAT_URL}' })).toBe('${CHAT_URL}')
  expect(placeOf({ host: null, url: '********' })).toBeNull()
})

describe('how messages fare', () => {
  const faring = (over: Parameters<typeof sampleDelivery>[0], enabled = true) =>
    faringOf(sampleAlert({ enabled, delivery: sampleDelivery(over) }))
  const [before, after] = ['2026-11-24T12:00:00Z', '2026-11-24T12:10:00Z']

  test('is told apart', () => {
    expect(faring({})).toBe('quiet')
    expect(faring({ last_sent_at: before })).toBe('delivering')
    expect(faring({ waiting: 2 })).toBe('sending')
    expect(faring({ waiting: 2, last_error: 'refused', last_error_at: after, last_sent_at: before })).toBe('waiting')
    expect(faring({ given_up: 2, last_error: 'refused', last_error_at: after, last_sent_at: before })).toBe('undelivered')
    expect(faring({ last_error: 'refused', last_error_at: before, last_sent_at: after })).toBe('delivering')
    expect(faring({ waiting: 2 }, false)).toBe('off')
  })
})

test('an alert of all jobs watches each, one of some only those', () => {
  expect(watches({ jobs: null }, 'orders')).toBe(true)
  expect(watches({ jobs: ['orders'] }, 'orders')).toBe(true)
  expect(watches({ jobs: ['orders'] }, 'customers')).toBe(false)
})
