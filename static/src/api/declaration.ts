/** A job as YAML and as JSON: the server knows both, and says where a text is wrong. */
import { request } from './client'
import type { Draft } from './job'
import type { JobPrinted, JobRead } from './wire'

export function readYaml(text: string, signal: AbortSignal): Promise<JobRead> {
  return request<JobRead>('/api/declaration/read', { method: 'POST', body: { text }, signal })
}

export async function printYaml(id: string, job: Draft, signal: AbortSignal): Promise<string> {
  const printed = await request<JobPrinted>('/api/declaration/print', { method: 'POST', body: { id, job }, signal })
  return printed.text
}
