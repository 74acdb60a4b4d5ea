import { useJob } from '../../api/queries'
import { useUsual } from '../../api/run'
import type { Run } from '../../api/wire'
import { RunDeeds } from '../../deeds/RunDeeds'
import { plural } from '../../format/number'
import { isFinal } from '../../format/run'
import { Attempts } from '../../parts/Attempts'
import { Blank } from '../../parts/Blank'
import { Facts } from '../../parts/Facts'
import { InstanceName } from '../../parts/InstanceName'
import { Panel } from '../../parts/Panel'
import { Notices } from '../../parts/run/Notices'
import { SpentTable } from '../../parts/run/Spent'
import { Steps } from '../../parts/run/Steps'
import { Tally } from '../../parts/run/Tally'
import { Verified } from '../../parts/run/Verified'
import { Streams } from '../../parts/Streams'
import { BothTimes, Time } from '../../parts/Time'

/** What became of the run, what it moved, where its time went. */
export function RunTab({ run }: { run: Run }) {
  const job = useJob(run.job_id)
  const usual = useUsual(run.job_id)
  const streams = Object.keys(run.progress).length
  const moved = run.started_at !== null && streams > 0
  const ends = job.data ? { source: job.data.source, destination: job.data.destination } : null
  return (
    <>
      <Notices run={run} ends={ends} deeds={<RunDeeds run={run} />} />
      {run.started_at !== null && <Tally run={run} />}
      <div className="columns">
        <div className="columns stack">
          <Panel title="Streams" note={streams || undefined}>
            {streams > 0 ? (
              <Streams progress={run.progress} usual={usual.data ?? null} />
            ) : (
              <Blank icon="jobs" title={isFinal(run) ? 'Nothing was moved' : 'Nothing moved yet'} />
            )}
          </Panel>
          {run.verified && (
            <Panel title="Verified" note="both sides compared, row by row">
              <Verified verified={run.verified} />
            </Panel>
          )}
          {moved && (
            <Panel title="Where the time went">
              <SpentTable run={run} usual={usual.data ?? null} />
            </Panel>
          )}
          {(run.attempts.length > 0 || run.state === 'running') && (
            <Panel title="Attempts" note={run.attempts.length + (run.state === 'running' ? 1 : 0)}>
              <Attempts run={run} />
            </Panel>
          )}
        </div>
        <div className="columns stack">
          <Panel title="What became of it">
            <Steps run={run} />
          </Panel>
          <Panel title="Facts">
            <div className="panel-body">
              <Facts one entries={factsOf(run)} />
            </div>
          </Panel>
        </div>
      </div>
    </>
  )
}

function factsOf(run: Run): Parameters<typeof Facts>[0]['entries'] {
  const missed = run.missed_count !== null && run.missed_count > 1
  return [
    ['Due', run.fire_time && <BothTimes key="d" at={run.fire_time} />],
    ['Last of them', missed && run.missed_until ? <BothTimes key="u" at={run.missed_until} /> : null],
    ['Stands for', missed ? plural(run.missed_count ?? 0, 'fire time') : null],
    ['Started', run.started_at && <BothTimes key="s" at={run.started_at} />],
    ['Finished', run.started_at && <BothTimes key="f" at={run.finished_at} never="not yet" />],
    ['Attempt', run.attempt || null],
    ['Instance', run.claim.instance && <InstanceName key="i" id={run.claim.instance} />],
    ['Claim token', run.claim.token || null],
    ['Lease token', run.lease_token],
    ['Cancel asked', run.cancel && <span key="c">by {run.cancel.by}, <Time at={run.cancel.at} /></span>],
    ['Approved', run.approved && <span key="a">by {run.approved.by}, <Time at={run.approved.at} /></span>],
    ['Run id', <code key="id">{run.id}</code>],
  ]
}
