"""Takes streams back to the generation before their last `replace`, with checkpoint and schema: a run like any other.

What is there now is kept in its place, so that an undo can be undone. It reads no source, and asks nobody: guards are
for what happens by itself.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from worker import clock, connectors
from worker.connectors.protocol import Fence, Generations, Target, Undoing
from worker.declaration import resolve
from worker.errors import Cancelled, Conflict, LostClaim, NotFound, Permanent, Stopped, SyncworkerError
from worker.generation import Past, belongs
from worker.job import Job, StreamSpec, Write
from worker.run import StreamState
from worker.store import Store
from worker.store.client import Document
from worker.streams import Failure, Surroundings, in_words, known_there_as
from worker.sync.basis import parted
from worker.sync.progress import StreamProgress

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a stream can be taken back to: `rows` that were there until `kept_at`, brought by the run `generation`."""

    stream: str
    note: Document

    @property
    def words(self) -> str:
        """The generation, for a sentence."""
        return generation_of(self.note)


def generation_of(note: Mapping[str, Any]) -> str:
    known = note["generation"]
    return f"the generation of run {known}" if known else f"the generation before run {note['run_id']}"


def offers(store: Store, job: Job, stream: str | None = None) -> list[Offer]:
    """What is kept of the job, or of one stream. Raises NotFound, and Conflict where there is nothing to go back to."""
    specs = [spec for spec in job.streams if stream in (None, spec.name)]
    if not specs:
        names = ", ".join(spec.name for spec in job.streams)
        raise NotFound(f"job {job.id} has no stream {stream!r}; it has {names}")
    notes, now = store.undos.of(job.id), store.now()
    found: list[Offer] = []
    refusals: list[str] = []
    for spec in specs:
        kept = [note for note in notes if note["stream"] == spec.name and note["expires_at"] is not None]
        ours = [note for note in kept if belongs(note, job, spec, known_there_as(job))]
        alive = [note for note in ours if note["expires_at"] > now]
        if alive:  # one that was never closed is of a run that broke off
            closed = next((note for note in alive if note["rows"] is not None), alive[0])
            found.append(Offer(stream=spec.name, note=closed))
        else:
            refusals.append(_refusal(spec, job, kept, ours))
    if not found:
        raise Conflict("; ".join(refusals))
    return found


def _refusal(spec: StreamSpec, job: Job, kept: Sequence[Document], ours: Sequence[Document]) -> str:
    if ours:
        return f"{spec.name}: what was kept of it expired at {clock.iso(ours[0]['expires_at'])}"
    if kept:
        then, now = f"{kept[0]['target']} in {kept[0]['destination']}", f"{spec.destination_name} in {job.destination}"
        return f"{spec.name}: what is kept is of {then}, and the stream writes to {now}"
    why = "no replace has taken anything away since `undo` was set" if spec.undo else "it has no `undo`"
    return f"{spec.name}: nothing is kept of it; {why}"


class Undo:
    """The streams that `run` takes back; `progress` is by name and becomes that of these streams alone."""

    def __init__(self, job: Job, run: Document, progress: dict[str, StreamProgress], around: Surroundings) -> None:
        self._job = job
        self._run = run
        self._progress = progress
        self._around = around
        self._generations: list[str] = []

    @property
    def reason(self) -> str:
        """What became of it, where all went well."""
        return f"undone: back to {', '.join(dict.fromkeys(self._generations))}"

    def execute(self) -> list[Failure]:
        """Take each stream back; how those ended that failed. Raises Stopped, Cancelled and LostClaim."""
        wanted = [spec for spec in self._job.streams if spec.name in self._run["undo"]]
        missing = set(self._run["undo"]) - {spec.name for spec in wanted}
        if missing:
            raise Permanent(f"job {self._job.id} has no stream {', '.join(sorted(missing))} any more")
        for name in set(self._progress) - set(self._run["undo"]):
            del self._progress[name]
        failures: list[Failure] = []
        with self._open() as destination:
            for spec in wanted:
                self._around.signals.check()
                try:
                    self._one(spec, destination)
                except (Stopped, Cancelled, LostClaim):
                    raise
                except BaseException as error:  # a connector may raise anything
                    self._progress[spec.name].state = StreamState.FAILED
                    failures.append(Failure(error, spec.name))
                    self._say("error", f"{type(error).__name__}: {in_words(error)}", spec.name)
                    if not isinstance(error, SyncworkerError):
                        log.error("run %s of %s: unexpected error", self._run["_id"], self._job.id, exc_info=error)
        return failures

    def _one(self, spec: StreamSpec, destination: Any) -> None:
        progress = self._progress[spec.name]
        progress.state = StreamState.RUNNING
        if not isinstance(destination, Undoing):
            raise Permanent(f"{self._job.destination} is a kind of destination that keeps nothing to go back to")
        fence = Fence(
            job=known_there_as(self._job),
            stream=spec.name,
            sequence=self._run["sequence"],
            token=self._run["claim"]["token"],
        )
        past = Past(
            store=self._around.store,
            insist=self._around.insist,
            job=self._job,
            run_id=self._run["_id"],
            spec=spec,
            fence=fence,
        )
        own = next((note for note in past.notes() if note["sequence"] == fence.sequence), None)
        if own and own["rows"] is not None:  # an earlier attempt of this run did it, and did not live to tell
            self._done(progress, own["back_to"], own["restored"], spec.name)
            return
        with closing(destination.generations(target_of(spec, fence))) as generations:
            note = self._chosen(past, generations)
            past.begin(
                past.present(generations.stood()),
                generation=note["now"],
                now=note["generation"],
                seconds=note["seconds"],
                undoes=note["sequence"],
                back_to=generation_of(note),
                restored=note["rows"] or 0,
            )
            past.date(note["seconds"])
            kept = generations.swap(note["sequence"], note["before"]["checkpoint"])
        self._go_back(past, note["before"])
        past.close(kept)
        self._done(progress, generation_of(note), note["rows"] or 0, spec.name)

    def _done(self, progress: StreamProgress, generation: str, rows: int, stream: str) -> None:
        progress.written = rows
        progress.state = StreamState.SUCCEEDED
        self._generations.append(generation)
        self._say("info", f"back to {generation}; what was there is kept in its place", stream)

    def _chosen(self, past: Past, generations: Generations) -> Document:
        """The note of what is kept there. An earlier attempt of this run may have swapped it already."""
        notes = {note["sequence"]: note for note in past.notes()}
        there = generations.kept()
        own = notes.get(past.fence.sequence)
        sequence = own["undoes"] if own and past.fence.sequence in there else max(there, default=None)
        note = None if sequence is None else notes.get(sequence)
        if note is None:
            raise Permanent(f"nothing is kept of {past.spec.destination_name} at {self._job.destination}")
        until = note["expires_at"]
        if own is None and until is not None and until <= self._around.insist(self._around.store.now):
            raise Permanent(f"what was kept of it expired at {clock.iso(until)}")
        return note

    def _go_back(self, past: Past, before: Mapping[str, Any]) -> None:
        """Our own record of the stream, as it was with what is there again."""
        store, fence, stream = self._around.store, past.fence, past.fence.stream
        numbers = {"sequence": fence.sequence, "token": fence.token}
        schema, (checkpoint, of) = before["schema"], parted(before["checkpoint"])
        if checkpoint is None:
            self._around.insist(lambda: store.checkpoints.forget(self._job.id, stream, **numbers))
        else:
            run_id = self._run["_id"]
            save = store.checkpoints.save
            self._around.insist(lambda: save(self._job.id, stream, checkpoint, of=of, run_id=run_id, **numbers))
        if schema is None:
            self._around.insist(lambda: store.schemas.forget(self._job.id, stream, **numbers))
        else:
            self._around.insist(lambda: store.schemas.save(self._job.id, stream, schema, **numbers))

    def _open(self) -> Any:
        connections = self._around.store.connections(self._around.vault)
        connection = resolve(self._around.insist(lambda: connections.get(self._job.destination)), os.environ)
        return connectors.open_end(connection.type, connection.settings, "destination")

    def _say(self, level: str, message: str, stream: str) -> None:
        self._around.log.add(level, message, stream, ours=True)


def target_of(spec: StreamSpec, fence: Fence) -> Target:
    """What is taken back: as the `replace` named it."""
    return Target(
        name=spec.destination_name,
        write=Write.REPLACE,
        columns=(),
        key=(),
        fence=fence,
        options=spec.options,
        keeps=True,
    )
