import { expect, test } from 'vitest'
import { inZone, isZone, shownZones, zones } from './zone'

test('an instant is told in the zone that is asked for', () => {
  expect(inZone('2026-11-24T23:30:00Z', 'Asia/Tokyo')).toBe('Wed 25 Nov, 08:30:00')
  expect(inZone('2026-11-24T23:30:00Z', 'UTC')).toBe('Tue 24 Nov, 23:30:00')
})

test('each zone is shown once, with whose it is', () => {
  expect(shownZones('Europe/Paris', 'Asia/Tokyo')).toEqual([
    { zone: 'Europe/Paris', label: 'the job’s zone' },
    { zone: 'Asia/Tokyo', label: 'your zone' },
    { zone: 'UTC', label: '' },
  ])
  expect(shownZones('UTC', 'UTC')).toEqual([{ zone: 'UTC', label: 'the job’s zone, your zone' }])
})

test('zones are known by name', () => {
  expect(zones()[0]).toBe('UTC')
  expect(isZone('Europe/Paris')).toBe(true)
  expect(isZone('Europe/Pari')).toBe(false)
})
