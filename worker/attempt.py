"""One attempt of one claimed run: see that it may start, let its streams move, record how it ended.

Every write to the run carries the claim's token; where it matches nothing, another instance owns the run and this
one writes no more. It does not renew the claim: the runner does, from a thread that no long batch can starve.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from worker import retry
from worker.errors import BadInput, Cancelled, Held, LostClaim, Stopped, StoreUnavailable, SyncworkerError, Unreadable
from worker.job import Job
from worker.run import RunState, StreamState, Trigger
from worker.run_log import RunLog
from worker.signals import Signals
from worker.store import Store
from worker.store.claims import Ending
from worker.store.client import Document
from worker.streams import LONGEST_MESSAGE, Failure, Streams, Surroundings, in_words
from worker.sync.progress import StreamProgress, resumed
from worker.undo import Undo
from worker.vault import Vault
from worker.verification import concerned

log = logging.getLogger(__name__)

STORE_PATIENCE = 0.5
RETRIED, INTERRUPTED, LOST = "retried", "interrupted", "lost"


class Attempt:
    """Made from a run just claimed; `execute` never raises."""

    def __init__(self, run: Document, store: Store, vault: Vault, signals: Signals) -> None:
        self.run_id: str = run["_id"]
        self.job_id: str = run["job_id"]
        self.token: int = run["claim"]["token"]
        self.number: int = run["attempt"]
        self.signals = signals
        self._run = run
        self._store = store
        self._vault = vault
        self._log = RunLog(store.logs, self.run_id, run["attempt"], first=self.token == 1)
        self._progress: dict[str, StreamProgress] = {name: resumed(stored) for name, stored in run["progress"].items()}
        self.timeout: float | None = None
        self._reason: str | None = None
        # How it ended, for the metrics: the run's state, or why the run goes on.
        self.outcome = LOST

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

    def heir(self) -> Attempt:
        """Who records the end in place of this attempt, whose thread does not answer: it may write nothing more."""
        heir = Attempt(self._run, self._store, self._vault, Signals(self.signals.trusted_until))
        self.signals.lose()
        heir._log = self._log
        heir._progress = {name: resumed(stored) for name, stored in self.progress().items()}
        return heir

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
        if isinstance(error, Unreadable):
            self._failed(None, [Failure(error, None)])
            return
        job = self._insist(lambda: self._store.jobs.find(self.job_id))
        if job is None:
            self._finish(RunState.CANCELLED, reason="the job was deleted")
        elif isinstance(error, (Stopped, Cancelled, LostClaim)):
            self._interrupted(error)
        else:
            self._failed(job, [Failure(error, None)])

    def _execute(self) -> None:
        try:
            job = self._insist(lambda: self._store.jobs.find(self.job_id))
        except Unreadable as error:
            self._broke_off(error)
            return
        refusal = self._refusal(job)
        if job is None or refusal:
            self._finish(RunState.CANCELLED, reason=refusal)
            return
        self.timeout = job.timeout
        try:
            job = concerned(job, self._run)
        except BadInput as error:
            self._failed(job, [Failure(error, None)])
            return
        self._progress = {spec.name: self._progress.get(spec.name, StreamProgress()) for spec in job.streams}
        try:
            failures = self._streams(job)
        except (Stopped, Cancelled, LostClaim) as error:
            self._interrupted(error)
        except BaseException as error:  # a connector may raise anything, SystemExit too; nobody above records it
            self._failed(job, [Failure(error, None)])
        else:
            self._ended(job, failures)

    def _refusal(self, job: Job | None) -> str | None:
        """Why this run must not start: the job may have changed since it was queued."""
        if job is None:
            return "the job was deleted"
        if not job.enabled and self._run["trigger"] == Trigger.SCHEDULE:
            return "the job was disabled"
        return None

    def _streams(self, job: Job) -> list[Failure]:
        around = Surroundings(
            store=self._store, vault=self._vault, signals=self.signals, log=self._log, insist=self._insist
        )
        if self._run.get("undo"):
            undo = Undo(job, self._run, self._progress, around)
            failures, self._reason = undo.execute(), undo.reason
            return failures
        return Streams(job, self._run, self._progress, around).execute()

    # How it ended.

    def _ended(self, job: Job, failures: list[Failure]) -> None:
        held = [failure.error for failure in failures if isinstance(failure.error, Held)]
        broken = [failure for failure in failures if not isinstance(failure.error, Held)]
        if broken:
            self._failed(job, broken)
        elif held:
            each = [{"stream": f.stream, "removes": f.error.removes} for f in failures if isinstance(f.error, Held)]
            removes = {"removes": sum(error.removes for error in held), "streams": each}
            self._insist(lambda: self._store.claims.hold(self.run_id, self.token, removes))
            self._finish(RunState.HELD, reason="; ".join(str(error) for error in held))
        else:
            self._finish(RunState.SUCCEEDED, reason=self._reason)

    def _failed(self, job: Job | None, failures: list[Failure]) -> None:
        """Queue the run again, or end it where its attempts are spent; `job` None: it cannot be read."""
        attempt: int = self._run["attempt"]
        error = failures[0].document()
        if len(self._progress) > 1 and failures[0].stream is not None:
            done = sum(progress.state is StreamState.SUCCEEDED for progress in self._progress.values())
            summary = f"{done} of {len(self._progress)} streams succeeded"
            told = "; ".join(f"{failure.stream}: {in_words(failure.error)}" for failure in failures)
            error["message"] = f"{summary}; {told}"[:LONGEST_MESSAGE]
            error["stream"] = ", ".join(str(failure.stream) for failure in failures)
        for failure in failures:
            if failure.stream is None:
                self._trace(failure.error)
        permanent = job is None or all(failure.permanent for failure in failures)
        if job is None or permanent or attempt >= job.retry.attempts:
            for progress in self._progress.values():
                if progress.state is StreamState.RUNNING:
                    progress.state = StreamState.FAILED
            spent = "" if job is None or permanent else f" after attempt {attempt} of {job.retry.attempts}"
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
        self.outcome = RETRIED

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
        self.outcome = INTERRUPTED

    def _finish(self, state: RunState, *, error: Document | None = None, reason: str | None = None) -> None:
        if state is RunState.CANCELLED:
            for progress in self._progress.values():
                if progress.state is not StreamState.SUCCEEDED:
                    progress.state = StreamState.CANCELLED
        if state is not RunState.FAILED:  # whose reason has been told
            self._say("info", f"{state}: {reason}" if reason else str(state))
        self._log.close()  # whoever sees the end finds the whole log
        self._recorded(lambda: self._store.claims.end(self.run_id, self.token, state, self._ending(error, reason)))
        self.outcome = str(state)

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
        """Call until the store answers, or the claim runs out meanwhile. Without a claim nothing is called."""
        while True:
            self.signals.check_claim()
            try:
                return call()
            except StoreUnavailable:
                self._patience()

    def _patience(self) -> None:
        self.signals.check_claim()  # whoever asked us to end waits until the store knows where we ended
        self.signals.wait(STORE_PATIENCE)

    # What it says.

    def _say(self, level: str, message: str, stream: str | None = None) -> None:
        self._log.add(level, message, stream, ours=True)

    def _trace(self, error: BaseException) -> None:
        """An error that is not ours goes to the process's log, with its traceback."""
        if not isinstance(error, SyncworkerError):
            log.error("run %s of %s: unexpected error", self.run_id, self.job_id, exc_info=error)
