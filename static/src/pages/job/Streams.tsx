import { Link } from 'wouter'
import { useCheckpoints, useReset, useResync, useUndo, useVerify } from '../../api/job'
import { useRuns } from '../../api/queries'
import { useRights } from '../../api/session'
import type { Checkpoint as Shape, Job, Run, StreamSpec } from '../../api/wire'
import { inShort } from '../../forms/sentence'
import { text } from '../../forms/path'
import { placesOf } from '../../format/checkpoint'
import { count } from '../../format/number'
import { isActive } from '../../format/run'
import { Act, Said } from '../../parts/Act'
import { Confirm } from '../../parts/Confirm'
import { Panel } from '../../parts/Panel'
import { Time } from '../../parts/Time'

/** Each stream: how it is moved, where it is, when it last wrote, and what can be done with it alone. */
export function StreamsTab({ job }: { job: Job }) {
  const { admin, operate } = useRights()
  const checkpoints = useCheckpoints(job.id)
  const runs = useRuns({ job: job.id, limit: 50 })
  const verify = useVerify(job.id)
  const repair = useVerify(job.id)
  const undo = useUndo(job.id)
  const at = new Map(checkpoints.data?.items.map((one) => [one.stream, one]))
  const queued = undo.data ?? repair.data ?? verify.data
  const active = job.last_run !== null && isActive(job.last_run)
  const keeps = job.streams.some((stream) => text(stream, 'undo') !== '')
  const names = job.streams.length === 1 ? (job.streams[0]?.name ?? '') : `all ${count(job.streams.length)} streams`
  return (
    <Panel
      title="Streams"
      note={job.streams.length}
      tools={
        operate && (
          <div className="actions">
            <Act
              deed={{ ...verify, mutate: () => verify.mutate({ stream: null, repair: false }) }}
              label="Verify"
              busy="Asking…"
              little
              of={names}
              disabled={active}
            />
            <Confirm
              deed={{ ...repair, mutate: () => repair.mutate({ stream: null, repair: true }) }}
              label="Verify and repair"
              busy="Asking…"
              little
            >
              Compare {names} of {job.id} with {job.destination}, and send the rows that differ again?
            </Confirm>
            {keeps && (
              <Confirm deed={{ ...undo, mutate: () => undo.mutate(null) }} label="Undo last replace" busy="Asking…" little>
                <p>
                  Take the streams of <strong>{job.id}</strong> that keep their last copy back to it? What is there now is kept in its
                  place, so this can be undone too.
                </p>
                <p className="muted">The next run replaces again: disable the job first if its source is what is wrong.</p>
              </Confirm>
            )}
            <Said deeds={[verify, repair, undo]}>
              {queued && <Queued run={queued} />}
            </Said>
          </div>
        )
      }
    >
      <table aria-label="Streams" className="stacking">
        <thead>
          <tr>
            <th scope="col">Stream</th>
            <th scope="col">Checkpoint</th>
            <th scope="col" className="mid">
              Last write
            </th>
            {admin && (
              <th scope="col">
                <span className="hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {job.streams.map((stream) => (
            <StreamRow
              key={stream.name}
              job={job}
              stream={stream}
              checkpoint={at.get(stream.name)}
              known={checkpoints.data !== undefined}
              last={runs.data?.items.find((run) => run.progress[stream.name]?.last_write_at)}
              active={active}
              admin={admin}
            />
          ))}
        </tbody>
      </table>
    </Panel>
  )
}

interface StreamRowProps {
  job: Job
  stream: StreamSpec
  checkpoint: Shape | undefined
  known: boolean
  last: Run | undefined
  active: boolean
  admin: boolean
}

function StreamRow({ job, stream, checkpoint, known, last, active, admin }: StreamRowProps) {
  const reset = useReset(job.id)
  const again = useResync(job.id)
  const progress = last?.progress[stream.name]
  const name = `${stream.name} of ${job.id}`
  const resync = { ...again, mutate: () => again.mutate(stream.name) }
  return (
    <tr>
      <th scope="row">
        <span className="primary">{stream.name}</span>
        {stream.target && stream.target !== stream.name && <> → {stream.target}</>}
        <span className="under">{inShort(stream)}</span>
      </th>
      <td>
        <Place checkpoint={checkpoint} known={known} stream={stream} />
      </td>
      <td className="mid">
        {last && progress ? (
          <>
            <Time at={progress.last_write_at} />
            <span className="under">
              {count(progress.written)} written by <Link href={`/runs/${last.id}`}>run #{count(last.sequence)}</Link>
            </span>
          </>
        ) : (
          <span className="muted">not by the last runs</span>
        )}
      </td>
      {admin && (
        <td>
          <div className="actions">
            <Confirm
              deed={{ ...reset, mutate: () => reset.mutate(stream.name) }}
              label="Reset"
              busy="Resetting…"
              little
              of={name}
              disabled={active || checkpoint === undefined}
            >
              Forget the checkpoint of <strong>{stream.name}</strong>? The next run of {job.id} reads it from its beginning. Nothing is
              removed from {job.destination}.
            </Confirm>
            <Confirm deed={resync} label="Re-sync" busy="Asking…" little of={name} disabled={active}>
              Forget the checkpoint of <strong>{stream.name}</strong> and run {job.id} now? It is read from its beginning and written
              again{stream.write === 'append' ? <strong>; with append its rows are then there twice</strong> : ''}.
            </Confirm>
            <Said deeds={[reset, again]}>
              {again.data ? (
                <Queued run={again.data} />
              ) : (
                reset.data && (reset.data.streams.length > 0 ? 'Its checkpoint is forgotten.' : 'There was nothing to forget.')
              )}
            </Said>
          </div>
        </td>
      )}
    </tr>
  )
}

function Place({ checkpoint, known, stream }: { checkpoint: Shape | undefined; known: boolean; stream: StreamSpec }) {
  if (!known) return <span className="muted">…</span>
  if (!checkpoint) {
    return <span className="muted">{stream.mode === 'full' ? 'none: each run reads all' : 'none: the next run reads all'}</span>
  }
  return (
    <>
      {checkpoint.sealed ? <span className="muted">sealed, as it may hold hashed columns</span> : <Checkpoint value={checkpoint.value} />}
      {checkpoint.run_id && (
        <span className="under">
          by <Link href={`/runs/${checkpoint.run_id}`}>this run</Link>
        </span>
      )}
    </>
  )
}

/** Where reading goes on: column by column where it says so, else the connector's own JSON. */
function Checkpoint({ value }: { value: unknown }) {
  const places = placesOf(value)
  if (places === null) return <code className="checkpoint">{typeof value === 'string' ? value : JSON.stringify(value)}</code>
  return (
    <span title={JSON.stringify(value)}>
      after{' '}
      {places.map(([column, at], index) => (
        <span key={column}>
          {index > 0 && ', '}
          <span className="muted">{column}</span> <code className="checkpoint">{at}</code>
        </span>
      ))}
    </span>
  )
}

function Queued({ run }: { run: Run }) {
  return (
    <>
      <Link href={`/runs/${run.id}`}>Run #{count(run.sequence)}</Link> is queued.
    </>
  )
}
