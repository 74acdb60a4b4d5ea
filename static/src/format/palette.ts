/** What the command palette offers for what is typed. */
import type { Job } from '../api/wire'
import { STANDING_WORDS } from './health'

export type PaletteDeed = { kind: 'go'; to: string } | { kind: 'theme'; theme: 'light' | 'dark' | 'system' } | { kind: 'job'; deed: 'run' | 'enable' | 'disable'; id: string }

export interface Entry {
  id: string
  label: string
  hint: string
  does: PaletteDeed
}

const PAGES: [to: string, label: string, words: string][] = [
  ['/', 'Overview', 'home health timeline'],
  ['/jobs', 'Jobs', 'list'],
  ['/new-job', 'New job', 'create add make'],
  ['/runs', 'Runs', 'history'],
  ['/connections', 'Connections', 'source destination'],
  ['/instances', 'Instances', 'leader lease worker'],
  ['/settings?tab=alerts', 'Alerts', 'notify tell message chat slack webhook'],
  ['/settings', 'Settings', 'tokens audit log out'],
  ['/jobs?q=is:failed', 'Jobs that failed', 'error'],
  ['/runs?state=running', 'Runs that run now', 'active live'],
]

const THEMES = [
  ['light', 'Light theme'],
  ['dark', 'Dark theme'],
  ['system', 'Theme as the system'],
] as const

/** "run", "pause" and "resume" before a job's name: what is meant, and the rest. */
const DEEDS = { run: 'run', pause: 'disable', resume: 'enable' } as const

const FEW = 2

/** The part of what is typed that finds jobs. */
export function jobWords(typed: string): string {
  return typed.trim().replace(/^(run|pause|resume)\s+/i, '')
}

export function entries(typed: string, jobs: readonly Job[], mayOperate: boolean): Entry[] {
  const words = typed.trim().toLowerCase()
  const verb = /^(run|pause|resume)\s/i.exec(words)?.[1] as keyof typeof DEEDS | undefined
  const fits = (text: string) => words === '' || words.split(/\s+/).every((word) => text.toLowerCase().includes(word))
  const pages: Entry[] = PAGES.filter(([, label, more]) => fits(`${label} ${more}`)).map(([to, label]) => ({
    ...{ id: to, label, hint: 'page', does: { kind: 'go', to } },
  }))
  const themes: Entry[] = THEMES.filter(([, label]) => words !== '' && fits(label)).map(([theme, label]) => ({
    ...{ id: `theme-${theme}`, label, hint: 'this browser', does: { kind: 'theme', theme } },
  }))
  if (words === '') return pages
  // Of many jobs their deeds would hide the jobs: then the verb asks for them.
  const meant = verb || jobs.length <= FEW ? jobs : []
  const deeds = mayOperate ? meant.flatMap((job) => deedsOf(job, verb)) : []
  const opens: Entry[] = jobs.map((job) => ({
    ...{ id: `job-${job.id}`, label: job.id, hint: `job, ${STANDING_WORDS[job.standing]}` },
    does: { kind: 'go', to: `/jobs/${job.id}` },
  }))
  return verb ? [...deeds, ...opens, ...pages] : [...pages, ...opens, ...deeds, ...themes]
}

function deedsOf(job: Job, verb: keyof typeof DEEDS | undefined): Entry[] {
  const possible: (keyof typeof DEEDS)[] = ['run', job.enabled ? 'pause' : 'resume']
  return possible
    .filter((one) => verb === undefined || one === verb)
    .map((one) => ({
      ...{ id: `${one}-${job.id}`, label: `${one[0]?.toUpperCase() ?? ''}${one.slice(1)} ${job.id}`, hint: 'action' },
      does: { kind: 'job', deed: DEEDS[one], id: job.id },
    }))
}
