import { useEffect } from 'react'
import { Link, useSearchParams } from 'wouter'
import { ApiError } from '../api/client'
import { LOG_KEPT, useLog, useRun } from '../api/queries'
import type { LogLevel, Run as RunShape } from '../api/wire'
import { RunDeeds } from '../deeds/RunDeeds'
import { useNow } from '../format/now'
import { bytes, count, perSecond, plural } from '../format/number'
import { isFinal, timeTaken, totals, triggerWords } from '../format/run'
import { duration } from '../format/time'
import { Attempts } from '../parts/Attempts'
import { Blank } from '../parts/Blank'
import { Facts } from '../parts/Facts'
import { Head } from '../parts/Head'
import { Icon } from '../parts/Icon'
import { Loaded } from '../parts/Loaded'
import { Log } from '../parts/Log'
import { Panel } from '../parts/Panel'
import { RunState } from '../parts/RunState'
import { Streams, useRate } from '../parts/Streams'
import { BothTimes, Time } from '../parts/Time'
import { NotFound } from './NotFound'

const LEVELS: [LogLevel, string][] = [
  ['debug', 'All'],
  ['info', 'Info'],
  ['warning', 'Warnings'],
  ['error', 'Errors'],
]

/** `/runs/ID?level=`: one run, live. */
export function Run({ id }: { id: string }) {
  const run = useRun(id)
  if (run.error instanceof ApiError && run.error.status === 404) return <NotFound what="run">{`There is no run “${id}”`}</NotFound>
  if (!run.data) {
    return (
      <>
        <Head title="Run" crumbs={<Link href="/runs">Runs</Link>} />
        <div className="panel">
          <Loaded asked={run} lines={8}>
            {() => null}
          </Loaded>
        </div>
      </>
    )
  }
  return <KnownRun run={run.data} />
}

function KnownRun({ run }: { run: RunShape }) {
  const streams = Object.keys(run.progress).length
  return (
    <>
      <Head
        title={`${run.job_id} #${run.sequence}`}
        crumbs={
          <>
            <Link href="/runs">Runs</Link> / <Link href={`/jobs/${run.job_id}`}>{run.job_id}</Link>
          </>
        }
        state={<RunState run={run} />}
        under={
          <>
            Started {triggerWords(run.trigger)}
            {run.retry_of && (
              <>
                {' '}
                of <Link href={`/runs/${run.retry_of}`}>an earlier run</Link>
              </>
            )}
          </>
        }
      >
        <RunDeeds run={run} />
      </Head>
      {run.error && (
        <div className="fault" role="alert">
          <Icon name="alert" size={18} />
          <p>{run.error.message}</p>
          <span className="mono small">
            {run.error.type}
            {run.error.stream && ` in ${run.error.stream}`}
          </span>
        </div>
      )}
      {!run.error && run.reason && <p className="notice calm">{run.reason}</p>}
      <Tally run={run} />
      <div className="columns">
        <div className="columns stack">
          <Panel title="Streams" note={streams || undefined}>
            {streams > 0 ? (
              <Streams progress={run.progress} />
            ) : (
              <Blank icon="jobs" title={isFinal(run) ? 'Nothing was moved' : 'Nothing moved yet'} />
            )}
          </Panel>
          <RunLog run={run} />
          {run.attempts.length > 0 && (
            <Panel title="Attempts" note={run.attempts.length}>
              <Attempts attempts={run.attempts} />
            </Panel>
          )}
        </div>
        <Panel title="Facts">
          <div className="panel-body">
            <Facts
              one
              entries={[
                ['Due', run.fire_time && <BothTimes key="d" at={run.fire_time} />],
                ['Queued', <BothTimes key="q" at={run.queued_at} />],
                ['Started', <BothTimes key="s" at={run.started_at} never="not yet" />],
                ['Finished', <BothTimes key="f" at={run.finished_at} never="not yet" />],
                ['Attempt', run.attempt || null],
                ['Instance', run.claim.instance && <code>{run.claim.instance.slice(0, 8)}</code>],
                ['Cancel asked', run.cancel && <span>by {run.cancel.by}, <Time at={run.cancel.at} /></span>],
                ['Approved', run.approved && <span>by {run.approved.by}, <Time at={run.approved.at} /></span>],
                ['Stands for', run.missed_count && plural(run.missed_count, 'fire time')],
                ['Run id', <code key="id">{run.id}</code>],
              ]}
            />
          </div>
        </Panel>
      </div>
    </>
  )
}

/** What the run has moved in all. */
function Tally({ run }: { run: RunShape }) {
  const now = useNow()
  const running = run.state === 'running'
  const moved = totals(run.progress)
  const took = timeTaken(run, now)
  const pace = useRate(moved.written, running)
  const mean = !running && took ? (moved.written * 1000) / Math.max(1, took) : null
  const speed = pace ?? mean
  return (
    <div className="panel panel-body">
      <div className="tally">
        <Figure value={count(moved.read)} name="rows read" />
        <Figure value={count(moved.written)} name="rows written" />
        {moved.deleted > 0 && <Figure value={count(moved.deleted)} name="rows deleted" />}
        <Figure value={speed === null ? '–' : perSecond(speed)} name={running ? 'rows a second, now' : 'rows a second'} />
        <Figure value={bytes(moved.bytes)} name="moved" />
        <Figure value={took === null ? '–' : duration(took / 1000)} name={running ? 'so far' : 'taken'} />
      </div>
    </div>
  )
}

function Figure({ value, name }: { value: string; name: string }) {
  return (
    <div>
      <strong>{value}</strong>
      <span>{name}</span>
    </div>
  )
}

function RunLog({ run }: { run: RunShape }) {
  const [query, setQuery] = useSearchParams()
  const level = LEVELS.find(([one]) => one === query.get('level'))?.[0] ?? 'debug'
  const going = !isFinal(run)
  const log = useLog(run.id, level, going)
  const { refetch } = log
  useEffect(() => {
    if (!going) void refetch() // the last lines may be written after the last state
  }, [going, refetch])
  const choose = (next: LogLevel) => setQuery(next === 'debug' ? {} : { level: next }, { replace: true })
  return (
    <Panel
      title="Log"
      note={log.data && log.data.length >= LOG_KEPT ? `the last ${count(LOG_KEPT)} lines` : undefined}
      tools={
        <div className="segments" role="group" aria-label="Least level shown">
          {LEVELS.map(([one, label]) => (
            <button key={one} type="button" aria-pressed={level === one} onClick={() => choose(one)}>
              {label}
            </button>
          ))}
        </div>
      }
    >
      <Loaded asked={log} lines={5}>
        {(lines) =>
          lines.length > 0 ? (
            <Log lines={lines} follow={going} />
          ) : (
            <Blank icon="runs" title={level !== 'debug' ? 'No line is that grave' : going ? 'No lines yet' : 'It said nothing'} />
          )
        }
      </Loaded>
    </Panel>
  )
}
