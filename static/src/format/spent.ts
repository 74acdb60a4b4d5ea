/** Where the time of a run went, and whether that is as usual. */
import type { Run, RunState, Spent, Usual } from '../api/wire'
import { duration } from './time'

export type Stage = keyof Spent | 'other' | 'waiting'

export const STAGES: readonly Stage[] = ['source', 'transform', 'destination', 'checkpoint', 'other', 'waiting']

export const STAGE_WORDS: Record<Stage, string> = {
  source: 'Source',
  transform: 'Transform',
  destination: 'Destination',
  checkpoint: 'Checkpoint',
  other: 'Opening and ending',
  waiting: 'Waiting in the queue',
}

export const STAGE_MEANS: Record<Stage, string> = {
  source: 'waiting for the next rows',
  transform: 'selecting, renaming, hashing and converting them',
  destination: 'waiting until they are written',
  checkpoint: 'saving how far it is',
  other: 'connecting, preparing the target, putting it in place; comparing, where it verifies',
  waiting: 'until an instance took it, and between attempts',
}

const ADVICE: Record<Stage, string> = {
  source: 'Look at the load of the source, and whether its cursor has an index.',
  transform: 'Look at the load of the machine that runs it: rows are mapped there.',
  destination: 'Look at the load of the destination, at locks, and at indexes of the target that each row must go through.',
  checkpoint: 'Look at the MongoDB that keeps the checkpoints: its load, and how far away it is.',
  other: 'Its log says what opening, preparing or ending waited for.',
  waiting: 'All slots were taken: raise WORKER_CONCURRENCY, or start one more instance.',
}

export type Shares = Record<Stage, number>

export function sum(spent: Spent): number {
  return spent.source + spent.transform + spent.destination + spent.checkpoint
}

/** All streams of a run together, in seconds. `worked` and `waited` are its attempts and what lay between, in seconds. */
export function whole(run: Run, worked: number, waited: number): { shares: Shares; sideBySide: boolean } {
  const all = added(Object.values(run.progress).map((stream) => stream.spent))
  const streams = sum(all)
  // Streams that run at the same time spend more than passes.
  const sideBySide = streams > worked * 1.05 + 0.2
  return { shares: { ...all, other: sideBySide ? 0 : Math.max(0, worked - streams), waiting: waited }, sideBySide }
}

/** What is usual of all streams together; null where nothing is known. */
export function usualShares(usual: Usual): Shares | null {
  if (usual.runs === 0 || usual.seconds === null) return null
  const all = added(Object.values(usual.streams).map((stream) => stream.spent))
  return { ...all, other: Math.max(0, usual.seconds - sum(all)), waiting: 0 }
}

function added(parts: readonly Spent[]): Spent {
  const all: Spent = { source: 0, transform: 0, destination: 0, checkpoint: 0 }
  for (const part of parts) {
    all.source += part.source
    all.transform += part.transform
    all.destination += part.destination
    all.checkpoint += part.checkpoint
  }
  return all
}

/** Less than this is noise, in seconds. */
const NOTICED = 1
const MUCH = 1.25

export interface Compared {
  shares: Shares
  usual: Usual
  /** Written by this run. */
  rows: number
  state: RunState
}

/** One sentence: as usual or not, what grew most, and where to look. A run that succeeded is one of the usual ones itself. */
export function adviceOf({ shares, usual, rows, state }: Compared): string {
  const before = usualShares(usual)
  if (state === 'succeeded' && usual.runs <= 1) return 'It is the first run of this job that succeeded: there is nothing yet to compare it with.'
  if (!before || usual.seconds === null) return 'No run of this job has succeeded yet that this one could be compared with.'
  const now = total(shares)
  const then = usual.seconds
  const longer = now - then >= NOTICED && now >= then * MUCH
  if (!longer && state !== 'succeeded') {
    if (state === 'failed' || state === 'cancelled') return `It did not come to its end; a run of this job usually takes ${duration(then)}.`
    return `${duration(now)} so far; a run of this job usually takes ${duration(then)}.`
  }
  const of = usual.runs === 1 ? `${duration(then)} is what the last run took that succeeded` : `${duration(then)} is the median of the last ${usual.runs} runs that succeeded`
  if (!longer && (then - now < NOTICED || now * MUCH > then)) return `About as long as usual: ${of}.`
  if (!longer) return `${duration(then - now)} less than usual: ${of}.`
  const usualRows = Object.values(usual.streams).reduce((most, stream) => most + stream.written, 0)
  const more = usualRows > 0 ? rows / usualRows : 1
  if (more > MUCH && now / then < more * MUCH) {
    return `It moves ${more.toFixed(1)} times the usual rows, and takes ${(now / then).toFixed(1)} times as long: its pace is the usual one.`
  }
  const grown = STAGES.reduce<Stage>((most, one) => (shares[one] - before[one] > shares[most] - before[most] ? one : most), 'source')
  const name = STAGE_WORDS[grown].toLowerCase()
  return `${duration(now - then)} longer than usual (${of}). Most of that is ${name}: ${duration(shares[grown])} in place of ${duration(before[grown])}. ${ADVICE[grown]}`
}

export function total(shares: Shares): number {
  return STAGES.reduce((all, stage) => all + shares[stage], 0)
}
