import { useState } from 'react'
import { Choices } from '../parts/form/Choices'
import { JobPick } from './JobPick'

const SCOPES: { value: 'all' | 'some'; title: string; words: string }[] = [
  { value: 'all', title: 'All jobs', words: 'Those that are made later, too.' },
  { value: 'some', title: 'Some jobs', words: 'Only those that you name.' },
]

interface AlertJobsProps {
  /** Null: all of them. */
  value: string[] | null
  missing: string[]
  fault?: string | undefined
  onChange: (jobs: string[] | null) => void
}

/** Of which jobs an alert speaks. */
export function AlertJobs({ value, missing, fault, onChange }: AlertJobsProps) {
  // Those that were named, should “all jobs” be chosen and taken back.
  const [named, setNamed] = useState(value ?? [])
  const name = (jobs: string[]) => {
    setNamed(jobs)
    onChange(jobs)
  }
  return (
    <>
      <Choices
        legend="Of which jobs?"
        value={value === null ? 'all' : 'some'}
        options={SCOPES}
        onChange={(scope) => onChange(scope === 'all' ? null : named)}
      />
      {value !== null && <JobPick value={value} missing={missing} fault={fault} onChange={name} />}
    </>
  )
}
