// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import type { Stream } from '../../api/wire'
import { fieldsOf } from '../../forms/schema'
import { ClashNotice } from './Clash'
import { NamesField } from './Names'
import { SafetyFields } from './SafetyFields'
import { ScheduleFields } from './ScheduleFields'
import { SchemaForm } from './SchemaForm'
import { StreamFields } from './StreamFields'
import { Yaml } from './Yaml'

afterEach(cleanup)

test('a secret is a password, and one that is saved may stay empty', () => {
  const fields = fieldsOf({ name: 'x', secrets: ['url'], settings: { required: ['url'], properties: { url: { type: 'string' } } } })
  render(<SchemaForm fields={fields} values={{}} faults={{ url: 'is needed' }} onChange={vi.fn()} saved />)
  const url = screen.getByLabelText('URL')
  expect(url.getAttribute('type')).toBe('password')
  expect(url.getAttribute('placeholder')).toBe('set — leave empty to keep it')
  expect(url.getAttribute('aria-invalid')).toBe('true')
  const described = url.getAttribute('aria-describedby')?.split(' ').map((id) => document.getElementById(id)?.textContent)
  expect(described?.join(' ')).toContain('is needed')
})

test('a fault of the YAML leads to its line', () => {
  const fault = { line: 2, column: 3, field: 'write', message: 'is wrong' }
  render(<Yaml value={'name: a\nwrite: b\n'} faults={[fault]} onChange={vi.fn()} />)
  fireEvent.click(screen.getByRole('button', { name: 'Line 2' }))
  const area = screen.getByLabelText<HTMLTextAreaElement>('YAML')
  expect(document.activeElement).toBe(area)
  expect(area.value.slice(area.selectionStart, area.selectionEnd)).toBe('ite: b')
})

const found: Stream = {
  name: 'orders',
  columns: ['id', 'updated_at'].map((name) => ({ name, type: 'text', nullable: true })),
  key: ['id'],
  cursor: 'updated_at',
  rows: null,
}

test('a stream that is read whole has no cursor, and gets the suggested one when it is incremental', () => {
  const onChange = vi.fn()
  const { container } = render(
    <StreamFields stream={{ name: 'orders' }} path="streams[0]" found={found} faults={[]} onChange={onChange} />,
  )
  expect(screen.queryByLabelText('Cursor')).toBeNull()
  fireEvent.click(container.querySelector('input[value=incremental]') as HTMLElement)
  expect(onChange).toHaveBeenCalledWith({ name: 'orders', mode: 'incremental', write: 'upsert', cursor: 'updated_at', key: ['id'] })
})

test('a fault is told at the very field of the stream that it is about', () => {
  const stream = { name: 'orders', mode: 'incremental', write: 'upsert', cursor: 'nothing', key: ['id'] }
  const faults = [
    { field: 'streams[0].cursor', message: 'is no column' },
    { field: 'streams[0].filter.x', message: 'is odd' },
    { field: 'streams[1].cursor', message: 'is another’s' },
  ]
  render(<StreamFields stream={stream} path="streams[0]" found={found} faults={faults} onChange={vi.fn()} />)
  expect(screen.getByLabelText('Cursor').getAttribute('aria-invalid')).toBe('true')
  expect(screen.getByText('streams[0].filter.x is odd')).toBeTruthy()
  expect(screen.queryByText('is another’s')).toBeNull()
})

test('names that are typed keep the comma that was just typed', () => {
  const onChange = vi.fn()
  render(<NamesField label="Key" value={['id']} known={[]} onChange={onChange} />)
  const key = screen.getByLabelText<HTMLInputElement>('Key')
  fireEvent.change(key, { target: { value: 'id,' } })
  expect(key.value).toBe('id,')
  expect(onChange).toHaveBeenLastCalledWith(['id'])
})

test('a guard that is turned off says so, and both off are no guards', () => {
  const onChange = vi.fn()
  const { rerender } = render(<SafetyFields draft={{}} faults={[]} onChange={onChange} />)
  fireEvent.click(screen.getAllByLabelText('off')[0] as HTMLElement)
  expect(onChange).toHaveBeenLastCalledWith({ guards: { max_shrink: false } })
  rerender(<SafetyFields draft={{ guards: { max_shrink: false } }} faults={[]} onChange={onChange} />)
  fireEvent.click(screen.getAllByLabelText('off')[1] as HTMLElement)
  expect(onChange).toHaveBeenLastCalledWith({ guards: false })
})

test('an interval that is emptied stays an interval, and does not become by hand only', () => {
  const onChange = vi.fn()
  render(<ScheduleFields draft={{ schedule: { every: '15m' } }} faults={[]} onChange={onChange} />)
  fireEvent.change(screen.getByLabelText('Every'), { target: { value: '' } })
  expect(onChange).toHaveBeenLastCalledWith({ schedule: { every: '' } })
})

test('two people at one job are told what the other did, and who gives way', () => {
  const onMine = vi.fn()
  const theirs = [{ path: 'timeout', before: '1h', after: '2h' }]
  render(<ClashNotice clash={{ theirs, both: new Set(['timeout']) }} onMine={onMine} onTheirs={vi.fn()} />)
  expect(screen.getByRole('row', { name: 'timeout you too 1h 2h' })).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: 'Keep mine where we differ' }))
  expect(onMine).toHaveBeenCalledOnce()
})
