"""The streams of one attempt, side by side: each moved to its end; one that fails does not spoil the others.

Streams that write to one target go one after another, and so do all of them where the destination takes one writer at a
time. It classifies how each ended; what that means for the run is the attempt's to say.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from worker import clock, connectors
from worker.connection import Connection
from worker.connectors.protocol import Fence
from worker.declaration import resolve
from worker.errors import Cancelled, Held, LostClaim, Permanent, Stopped, SyncworkerError
from worker.generation import Keep, Past
from worker.job import RUN_ID, SYNCED_AT, Job, StreamSpec, Write
from worker.keeper import CheckpointKeeper, Insist
from worker.log_fields import carried
from worker.redaction import redact
from worker.run import StreamState
from worker.run_log import RunLog
from worker.sealed_checkpoint import SealedCheckpoint
from worker.signals import Signals
from worker.store import Store
from worker.store.client import Document
from worker.sync.basis import basis_of
from worker.sync.columns import Marks
from worker.sync.move import Ends, Reporter, StreamRun, move
from worker.sync.progress import StreamProgress
from worker.sync.verify import Verdict
from worker.vault import Vault
from worker.verification import Verification, asked_of, there

log = logging.getLogger(__name__)

End = Literal["source", "destination"]

AT_ONCE = 4
LONGEST_MESSAGE = 4_000


@dataclass(frozen=True)
class Failure:
    """How a stream ended; `stream` is None where the run never got to one."""

    error: BaseException
    stream: str | None

    @property
    def permanent(self) -> bool:
        return isinstance(self.error, Permanent)

    def document(self) -> Document:
        return {"type": type(self.error).__name__, "message": in_words(self.error), "stream": self.stream}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the streams of an attempt work with: `insist` calls until the store answers."""

    store: Store
    vault: Vault
    signals: Signals
    log: RunLog
    insist: Insist


class Streams:
    """The streams of `job` in `run` that have not succeeded yet; `progress` is by name."""

    def __init__(self, job: Job, run: Document, progress: Mapping[str, StreamProgress], around: Surroundings) -> None:
        self._job = job
        self._run = run
        self._progress = progress
        self._around = around
        self._asked = asked_of(run)
        self._verified: Document = dict(run.get("verified") or {})
        self._failures: list[Failure] = []
        self._end: BaseException | None = None
        self._lock = threading.Lock()
        self._connections: dict[str, Connection] = {}

    def execute(self) -> list[Failure]:
        """Move them; how those ended that failed or are held, in the job's order.

        Raises Stopped, Cancelled or LostClaim where the attempt must end, once every stream has.
        """
        left = [spec for spec in self._job.streams if self._is_left(spec)]
        generations = self._generations()
        queue = deque(self._groups(left))
        workers = [
            threading.Thread(
                target=carried(self._work), args=(queue, generations), name=f"streams {number}", daemon=True
            )
            for number in range(min(AT_ONCE, len(queue)) - 1)
        ]
        for worker in workers:
            worker.start()
        self._work(queue, generations)
        for worker in workers:
            worker.join()
        if self._end is not None:
            raise self._end
        order = {spec.name: number for number, spec in enumerate(self._job.streams)}
        return sorted(self._failures, key=lambda failure: order[str(failure.stream)])

    def _is_left(self, spec: StreamSpec) -> bool:
        moved = self._progress[spec.name].state is StreamState.SUCCEEDED
        return not moved or (self._job.verify and spec.name not in self._verified)

    def _groups(self, specs: list[StreamSpec]) -> list[list[StreamSpec]]:
        """Streams of one group go one after another."""
        if len(specs) > 1 and not self._side_by_side():
            return [specs]
        groups: dict[str, list[StreamSpec]] = {}
        for spec in specs:
            groups.setdefault(spec.destination_name, []).append(spec)
        return list(groups.values())

    def _side_by_side(self) -> bool:
        return bool(self._open("destination").capabilities.side_by_side)

    def _work(self, queue: deque[list[StreamSpec]], generations: frozenset[int]) -> None:
        while self._end is None:
            try:
                group = queue.popleft()
            except IndexError:
                return
            for spec in group:
                try:
                    self._one(spec, generations)
                except BaseException as error:
                    with self._lock:
                        self._end = self._end or error
                    return

    def _one(self, spec: StreamSpec, generations: frozenset[int]) -> None:
        progress = self._progress[spec.name]
        try:
            with self._open("source") as source, self._open("destination") as destination:
                part, ends = self._part(spec, generations), Ends(source=source, destination=destination)
                if self._asked is not None:
                    self._verify(part, ends, repair=self._asked.repair)
                    return
                if progress.state is not StreamState.SUCCEEDED:
                    self._move(part, ends)
                if self._job.verify:
                    self._look(part, ends)
        except (Stopped, LostClaim):
            raise
        except Cancelled:
            progress.state = StreamState.CANCELLED
            raise
        except Held as error:
            progress.state = StreamState.HELD
            self._failures.append(Failure(error, spec.name))
            self._say("warning", str(error), spec.name)
        except BaseException as error:  # a connector may raise anything, SystemExit too
            progress.state = StreamState.FAILED
            self._failures.append(Failure(error, spec.name))
            self._note(error, spec.name)

    def _move(self, part: StreamRun, ends: Ends) -> None:
        spec, progress = part.spec, self._progress[part.spec.name]
        self._say("info", f"started ({spec.mode}, {spec.write})", spec.name)
        move(part, ends, self._keeper(part), progress, self._reporter(spec.name))
        rows = "1 row" if progress.written == 1 else f"{progress.written:,} rows"
        deleted = f", {progress.deleted:,} deleted" if progress.deleted else ""
        self._say("info", f"succeeded: {rows} written{deleted}", spec.name)

    def _verify(self, part: StreamRun, ends: Ends, *, repair: bool) -> None:
        """What a run does that verifies: a difference that stays is its failure."""
        self._say("info", "verifies both sides" + (" and repairs what differs" if repair else ""), part.spec.name)
        with self._open("destination", "source") as source:
            verification = self._verification(part, ends, source)
            verification.demand(repair=repair, note=lambda verdict: self._noted(part.spec.name, verdict))

    def _look(self, part: StreamRun, ends: Ends) -> None:
        """Verify what was moved; the run has succeeded, whatever that finds."""
        try:
            with self._open("destination", "source") as source:
                self._noted(part.spec.name, self._verification(part, ends, source).look())
        except (Stopped, LostClaim, Cancelled):
            raise
        except Exception as error:
            self._say("warning", f"could not be verified: {in_words(error)}", part.spec.name)

    def _verification(self, part: StreamRun, ends: Ends, source: Any) -> Verification:
        around, name = self._around, part.spec.name
        return Verification(
            part=part,
            ends=ends,
            there=there(source, self._connection("destination"), part.spec),
            keeper=self._keeper(part),
            progress=self._progress[name],
            reporter=self._reporter(name),
            now=lambda: around.insist(around.store.now),
        )

    def _noted(self, stream: str, verdict: Verdict) -> None:
        with self._lock:
            self._verified[stream] = verdict.document()
            found, run_id, token = dict(self._verified), self._run["_id"], self._run["claim"]["token"]
            self._around.insist(lambda: self._around.store.claims.verified(run_id, token, found))

    def _part(self, spec: StreamSpec, generations: frozenset[int]) -> StreamRun:
        vault, run, store, insist = self._around.vault, self._run, self._around.store, self._around.insist
        fence = Fence(
            job=known_there_as(self._job), stream=spec.name, sequence=run["sequence"], token=run["claim"]["token"]
        )
        hash_key = insist(store.keys(vault).hash_key) if spec.hash else b""
        return StreamRun(
            spec=spec,
            fence=fence,
            generations=generations,
            guards=self._job.guards,
            approved=self._approved(spec.name),
            marks=Marks(hash_key=hash_key, values={SYNCED_AT: run["started_at"], RUN_ID: run["_id"]}),
            cover=SealedCheckpoint(lambda: insist(store.keys(vault).checkpoint_vault), self._job.id, spec.name),
            keep=self._keep(spec, fence) if spec.write is Write.REPLACE else None,
            basis=basis_of(self._job, spec),
        )

    def _keep(self, spec: StreamSpec, fence: Fence) -> Keep | None:
        if spec.undo is None and not self._keeps_something:
            return None
        store, insist = self._around.store, self._around.insist
        past = Past(store=store, insist=insist, job=self._job, run_id=self._run["_id"], spec=spec, fence=fence)
        return Keep(past, spec.undo)

    @cached_property
    def _keeps_something(self) -> bool:
        return bool(self._around.insist(lambda: self._around.store.undos.any(self._job.id)))

    def _open(self, end: End, half: End | None = None) -> Any:
        """One end of the job; `half`: to be read though it is the destination."""
        connection = self._connection(end)
        return connectors.open_end(connection.type, connection.settings, half or end)

    def _connection(self, end: End) -> Connection:
        """As it was when the attempt first needed it: what is changed meanwhile is for the next one."""
        connection_id = self._job.source if end == "source" else self._job.destination
        if connection_id not in self._connections:
            connections = self._around.store.connections(self._around.vault)
            found = resolve(self._around.insist(lambda: connections.get(connection_id)), os.environ)
            self._connections.setdefault(connection_id, found)
        return self._connections[connection_id]

    def _keeper(self, part: StreamRun) -> CheckpointKeeper:
        return CheckpointKeeper(
            checkpoints=self._around.store.checkpoints,
            schemas=self._around.store.schemas,
            insist=self._around.insist,
            job_id=self._job.id,
            run_id=self._run["_id"],
            fence=part.fence,
            basis=part.basis,
        )

    def _generations(self) -> frozenset[int]:
        """The sequences whose unfinished full streams this run may go on with."""
        own: int = self._run["sequence"]
        retried = self._run["retry_of"]
        if retried is None:
            return frozenset({own})
        try:
            before: int = self._around.insist(lambda: self._around.store.runs.get(retried))["sequence"]
        except Permanent:  # pruned meanwhile
            return frozenset({own})
        return frozenset({own, before})

    def _approved(self, stream: str) -> int | None:
        """How many rows a person let this run remove from the stream's target."""
        approved = self._run.get("approved") or {}
        return next((one["removes"] for one in approved.get("streams") or () if one["stream"] == stream), None)

    # What it says.

    def _reporter(self, stream: str) -> Reporter:
        tell: Callable[[str, str], None] = lambda level, message: self._around.log.add(level, message, stream)  # noqa: E731
        return Reporter(check=self._around.signals.check, tell=tell)

    def _say(self, level: str, message: str, stream: str) -> None:
        self._around.log.add(level, message, stream, ours=True)

    def _note(self, error: BaseException, stream: str) -> None:
        """A stream's failure in the run's log; one that is not ours also in the process's, with its traceback."""
        self._say("error", f"{type(error).__name__}: {in_words(error)}", stream)
        if not isinstance(error, SyncworkerError):
            log.error("run %s of %s: unexpected error", self._run["_id"], self._job.id, exc_info=error)


def in_words(error: BaseException) -> str:
    """What an error says, whatever it is: one that says nothing, too much, or nothing that can be stored."""
    if isinstance(error, MemoryError):
        return "the run needed more memory than it may have"
    try:
        said = str(error)
    except Exception:
        said = ""
    said = redact(said.encode(errors="replace").decode()) or type(error).__name__
    return said if len(said) <= LONGEST_MESSAGE else f"{said[:LONGEST_MESSAGE]}…"


def known_there_as(job: Job) -> str:
    """The job's name in a destination's own state: a job made anew under the same id begins there anew."""
    return f"{job.id}@{clock.iso(job.created_at)}" if job.created_at else job.id
