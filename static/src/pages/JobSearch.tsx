import { useState } from 'react'
import { useConnectionIds } from '../api/overview'
import { ApiError } from '../api/client'
import { SearchBox } from '../parts/SearchBox'

interface JobSearchProps {
  value: string
  /** Why the jobs could not be had: where the search is to blame, it is said at the search. */
  error: Error | null
  onSearch: (text: string) => void
}

/** The search of jobs, with the connections there are among what it suggests. */
export function JobSearch({ value, error, onSearch }: JobSearchProps) {
  const [touched, setTouched] = useState(false)
  const connections = useConnectionIds(touched)
  return (
    <SearchBox
      label="Find jobs"
      value={value}
      connections={connections}
      fault={searchFault(error)}
      onSearch={onSearch}
      onFocus={() => setTouched(true)}
    />
  )
}

/** What the server says of a search that it cannot read; undefined for any other error. */
export function searchFault(error: Error | null): string | undefined {
  if (!(error instanceof ApiError) || error.status !== 422) return undefined
  const fault = error.problem.errors?.find(({ field }) => field === 'q')
  return fault && `The search ${fault.message}`
}
