"""One attempt of one claimed run: open both ends, move each stream, classify how it ended, record it.

Every write to the run carries the claim's token; where it matches nothing, another instance owns the run and this
one writes no more. It does not renew the claim: the runner does, from a thread that no long batch can starve.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from worker import clock, connectors, retry
from worker.connectors.protocol import Fence
from worker.declaration import resolve
from worker.errors import Cancelled, Held, LostClaim, Permanent, Stopped, StoreUnavailable, SyncworkerError
from worker.job import Job, StreamSpec
from worker.keeper import CheckpointKeeper
from worker.run import RunState, StreamState, Trigger
from worker.run_log import RunLog
from worker.sealed_checkpoint import SealedCheckpoint
from worker.signals import Signals
from worker.store import Store
from worker.store.claims import Ending
from worker.store.client import Document
from worker.sync.columns import RUN_ID, SYNCED_AT, Marks
from worker.sync.move import Ends, Reporter, StreamRun, move
from worker.sync.progress import StreamProgress, resumed
from worker.vault import Vault

log = logging.getLogger(__name__)

STORE_PATIENCE = 0.5


@dataclass(frozen=True)
class _Failure:
    """How a stream ended; `stream` is None where the run never got to one."""

    error: BaseException
    stream: str | None

    @property
    def permanent(self) -> bool:
        return isinstance(self.error, Permanent)

    def document(self) -> Document:
        return {"type": type(self.error).__name__, "message": str(self.error), "stream": self.stream}


class Attempt:
    """Made from a run just claimed; `execute` never raises."""

    def __init__(self, run: Document, store: Store, vault: Vault, signals: Signals) -> None:
        self.run_id: str = run["_id"]
        self.job_id: str = run["job_id"]
        self.token: int = run["claim"]["token"]
        self.signals = signals
        self._run = run
        self._store = store
        self._vault = vault
        self._log = RunLog(store.logs, self.run_id, run["attempt"])
        self._progress: dict[str, StreamProgress] = {name: resumed(stored) for name, stored in run["progress"].items()}
        self.timeout: float | None = None

    def progress(self) -> dict[str, Any]:
        """What to store of each stream, in the job's order."""
        return {name: progress.document() for name, progress in list(self._progress.items())}

    def flush_log(self) -> None:
        self._log.flush()

    def execute(self) -> None:
        """Do the attempt and record its end; any error becomes the run's."""
        self._conclude(self._execute)

    def end_as(self, error: Exception) -> None:
        """Record the end of an attempt that ran elsewhere and broke off with `error`."""
        self._conclude(lambda: self._broke_off(error))

    def _conclude(self, work: Callable[[], None]) -> None:
        try:
            work()
        except LostClaim as error:
            log.warning("run %s of %s: %s; nothing more is written for it", self.run_id, self.job_id, error)
            self._say("warning", f"this instance lost the run: {error}")
        except Exception:
            log.exception("run %s of %s: its end could not be recorded", self.run_id, self.job_id)
        finally:
            self._log.close()

    def _broke_off(self, error: Exception) -> None:
        job = self._insist(lambda: self._store.jobs.find(self.job_id))
        if job is None:
            self._finish(RunState.CANCELLED, reason="the job was deleted")
        elif isinstance(error, (Stopped, Cancelled, LostClaim)):
            self._interrupted(error)
        else:
            self._failed(job, [_Failure(error, None)])

    def _execute(self) -> None:
        job = self._insist(lambda: self._store.jobs.find(self.job_id))
        refusal = self._refusal(job)
        if job is None or refusal:
            self._finish(RunState.CANCELLED, reason=refusal)
            return
        self.timeout = job.timeout
        self._progress = {spec.name: self._progress.get(spec.name, StreamProgress()) for spec in job.streams}
        try:
            failures = self._streams(job)
        except (Stopped, Cancelled, LostClaim) as error:
            self._interrupted(error)
        except Exception as error:
            self._failed(job, [_Failure(error, None)])
        else:
            self._ended(job, failures)

    def _refusal(self, job: Job | None) -> str | None:
        """Why this run must not start: the job may have changed since it was queued."""
        if job is None:
            return "the job was deleted"
        if not job.enabled and self._run["trigger"] == Trigger.SCHEDULE:
            return "the job was disabled"
        return None

    def _streams(self, job: Job) -> list[_Failure]:
        """Move every stream that has not succeeded yet; one that fails does not spoil the others."""
        failures = []
        generations = self._generations()
        with self._open(job, "source") as source, self._open(job, "destination") as destination:
            ends = Ends(source=source, destination=destination)
            for spec in job.streams:
                progress = self._progress[spec.name]
                if progress.state is StreamState.SUCCEEDED:
                    continue
                sequence: int = self._run["sequence"]
                fence = Fence(job=_known_there_as(job), stream=spec.name, sequence=sequence, token=self.token)
                part = StreamRun(
                    spec=spec,
                    fence=fence,
                    generations=generations,
                    guards=job.guards,
                    approved=self._approved(),
                    marks=self._marks(spec),
                    cover=SealedCheckpoint(self._vault, f"{job.id}/{spec.name}") if spec.hash else None,
                )
                self._say("info", f"started ({spec.mode}, {spec.write})", spec.name)
                try:
                    move(part, ends, self._keeper(fence), progress, self._reporter(spec.name))
                except (Stopped, LostClaim):
                    raise
                except Cancelled:
                    progress.state = StreamState.CANCELLED
                    raise
                except Held as error:
                    progress.state = StreamState.HELD
                    failures.append(_Failure(error, spec.name))
                    self._say("warning", str(error), spec.name)
                except Exception as error:
                    progress.state = StreamState.FAILED
                    failures.append(_Failure(error, spec.name))
                    self._note(error, spec.name)
                else:
                    rows = "1 row" if progress.written == 1 else f"{progress.written:,} rows"
                    self._say("info", f"succeeded: {rows} written", spec.name)
        return failures

    def _open(self, job: Job, end: Literal["source", "destination"]) -> Any:
        connection_id = job.source if end == "source" else job.destination
        connection = self._insist(lambda: self._store.connections(self._vault).get(connection_id))
        connection = resolve(connection, os.environ)
        return connectors.open_end(connection.type, connection.settings, end)

    def _keeper(self, fence: Fence) -> CheckpointKeeper:
        return CheckpointKeeper(
            checkpoints=self._store.checkpoints,
            insist=self._insist,
            job_id=self.job_id,
            run_id=self.run_id,
            fence=fence,
        )

    def _generations(self) -> frozenset[int]:
        """The sequences whose unfinished full streams this run may go on with."""
        own: int = self._run["sequence"]
        retried = self._run["retry_of"]
        if retried is None:
            return frozenset({own})
        try:
            before: int = self._insist(lambda: self._store.runs.get(retried))["sequence"]
        except Permanent:  # pruned meanwhile
            return frozenset({own})
        return frozenset({own, before})

    def _marks(self, spec: StreamSpec) -> Marks:
        hash_key = self._insist(self._store.keys(self._vault).hash_key) if spec.hash else b""
        return Marks(hash_key=hash_key, values={SYNCED_AT: self._run["started_at"], RUN_ID: self.run_id})

    def _approved(self) -> int | None:
        approved = self._run.get("approved")
        return approved["removes"] if approved else None

    # How it ended.

    def _ended(self, job: Job, failures: list[_Failure]) -> None:
        held = [failure.error for failure in failures if isinstance(failure.error, Held)]
        broken = [failure for failure in failures if not isinstance(failure.error, Held)]
        if broken:
            self._failed(job, broken)
        elif held:
            removes = sum(error.removes for error in held)
            self._insist(lambda: self._store.claims.hold(self.run_id, self.token, {"removes": removes}))
            self._finish(RunState.HELD, reason="; ".join(str(error) for error in held))
        else:
            self._finish(RunState.SUCCEEDED)

    def _failed(self, job: Job, failures: list[_Failure]) -> None:
        attempt: int = self._run["attempt"]
        error = failures[0].document()
        if len(failures) > 1:
            error["message"] = "; ".join(f"{failure.stream}: {failure.error}" for failure in failures)
            error["stream"] = ", ".join(str(failure.stream) for failure in failures)
        for failure in failures:
            if failure.stream is None:
                self._trace(failure.error)
        if all(failure.permanent for failure in failures) or attempt >= job.retry.attempts:
            spent = "" if all(f.permanent for f in failures) else f" after attempt {attempt} of {job.retry.attempts}"
            self._say("error", f"failed{spent}: {error['message']}")
            self._finish(RunState.FAILED, error=error)
            return
        delay = retry.delay(job.retry, attempt, run_id=self.run_id)
        reason = f"attempt {attempt} of {job.retry.attempts} failed; the next in {delay:.0f} s"
        self._say("warning", f"{reason}: {error['message']}")
        for progress in self._progress.values():
            if progress.state is not StreamState.SUCCEEDED:
                progress.state = StreamState.PENDING
        self._recorded(
            lambda: self._store.claims.requeue(
                self.run_id, self.token, "failed", self._ending(error, reason), delay=delay
            )
        )

    def _interrupted(self, error: SyncworkerError) -> None:
        if isinstance(error, LostClaim):
            raise error
        if isinstance(error, Cancelled):
            self._finish(RunState.CANCELLED, reason=str(error))
            return
        for progress in self._progress.values():
            if progress.state is StreamState.RUNNING:
                progress.state = StreamState.PENDING
        self._say("info", f"handed back: {error}")
        reason = f"interrupted: {error}"
        self._recorded(
            lambda: self._store.claims.requeue(
                self.run_id, self.token, "interrupted", self._ending(None, reason), give_back=True
            )
        )

    def _finish(self, state: RunState, *, error: Document | None = None, reason: str | None = None) -> None:
        if state is RunState.CANCELLED:
            for progress in self._progress.values():
                if progress.state is not StreamState.SUCCEEDED:
                    progress.state = StreamState.CANCELLED
        if state is not RunState.FAILED:  # whose reason has been told
            self._say("info", f"{state}: {reason}" if reason else str(state))
        self._log.flush()
        self._recorded(lambda: self._store.claims.end(self.run_id, self.token, state, self._ending(error, reason)))

    def _ending(self, error: Document | None, reason: str | None) -> Ending:
        return Ending(progress=self.progress(), error=error, reason=reason)

    def _recorded(self, write: Callable[[], bool]) -> None:
        """Insist on `write`; a refusal behind an unknown outcome may well be our own success."""
        unknown = False
        while True:
            try:
                if not write() and not unknown:
                    raise LostClaim("another instance holds this run")
                return
            except StoreUnavailable:
                unknown = True
                self._patience()

    def _insist(self, call: Callable[[], Any]) -> Any:
        """Call until the store answers, or the claim runs out meanwhile."""
        while True:
            try:
                return call()
            except StoreUnavailable:
                self._patience()

    def _patience(self) -> None:
        try:
            self.signals.check()
        except LostClaim:
            raise
        except SyncworkerError:
            pass  # whoever asked us to end waits until the store knows where we ended
        self.signals.wait(STORE_PATIENCE)

    # What it says.

    def _reporter(self, stream: str) -> Reporter:
        return Reporter(check=self.signals.check, tell=lambda level, message: self._say(level, message, stream))

    def _say(self, level: str, message: str, stream: str | None = None) -> None:
        self._log.add(level, message, stream)

    def _note(self, error: BaseException, stream: str) -> None:
        """A stream's failure in the run's log."""
        self._say("error", f"{type(error).__name__}: {error}", stream)
        self._trace(error)

    def _trace(self, error: BaseException) -> None:
        """An error that is not ours goes to the process's log, with its traceback."""
        if not isinstance(error, SyncworkerError):
            log.error("run %s of %s: unexpected error", self.run_id, self.job_id, exc_info=error)


def _known_there_as(job: Job) -> str:
    """The job's name in a destination's own state: a job made anew under the same id begins there anew."""
    return f"{job.id}@{clock.iso(job.created_at)}" if job.created_at else job.id
