"""Keeps the generation before a `replace` for one stream of one run, where `undo` asks for it, and notes what it is.

The note is begun before anything is written, dated before the swap and closed after it. It does not undo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.connectors.protocol import Fence, KeepingWriter, Position, Writer
from worker.errors import BadInput, Fault
from worker.job import Job, StreamSpec
from worker.keeper import Insist
from worker.store import Store
from worker.store.client import Document
from worker.sync.basis import kept_with


@dataclass(frozen=True, kw_only=True)
class Past:
    """What a stream's notes in our database say, and how they are changed; `insist` calls until it answers."""

    store: Store
    insist: Insist
    job: Job
    run_id: str
    spec: StreamSpec
    fence: Fence

    def notes(self) -> list[Document]:
        """What was taken away from this target by this job, the newest first."""
        found = self.insist(lambda: self.store.undos.of(self.job.id, self.spec.name))
        return [note for note in found if belongs(note, self.job, self.spec, self.fence.job)]

    def begin(self, before: Document, **more: Any) -> None:
        """Note what our run is about to take away; `before`: checkpoint and schema that belong to it."""
        fence = self.fence
        fields = {
            "known_as": fence.job,
            "destination": self.job.destination,
            "target": self.spec.destination_name,
            "options": dict(self.spec.options),
            "run_id": self.run_id,
            "before": before,
        }
        self.insist(lambda: self.store.undos.begin(self.job.id, fence.stream, fence.sequence, fields | more))

    def date(self, seconds: float) -> None:
        fence = self.fence
        self.insist(lambda: self.store.undos.date(self.job.id, fence.stream, fence.sequence, seconds))

    def close(self, rows: int | None) -> None:
        fence = self.fence
        self.insist(lambda: self.store.undos.close(self.job.id, fence.stream, fence.sequence, rows))

    def expire(self) -> None:
        self.insist(lambda: self.store.undos.expire(self.job.id, self.fence.stream))

    def present(self, stood: Position | None) -> Document:
        """Checkpoint and schema of what is at the destination now; `stood`: what it stored itself."""
        stored = self.insist(lambda: self.store.checkpoints.get(self.job.id, self.fence.stream))
        schema = self.insist(lambda: self.store.schemas.get(self.job.id, self.fence.stream))
        return {"checkpoint": _newest(stored, stood), "schema": _bare(schema)}


def belongs(note: Mapping[str, Any], job: Job, spec: StreamSpec, known_as: str) -> bool:
    """Whether a note speaks of the target that the job's stream has now."""
    place = (job.destination, spec.destination_name, known_as)
    return (note["destination"], note["target"], note["known_as"]) == place


class Keep:
    """What `move` calls around a `replace`. `seconds` None: what was kept earlier is too old after this one."""

    def __init__(self, past: Past, seconds: float | None) -> None:
        self._past = past
        self._seconds = seconds

    @property
    def wanted(self) -> bool:
        return self._seconds is not None

    def begin(self, writer: Writer) -> None:
        """Before the first batch: what there is has this checkpoint and schema, and came with that run."""
        if self._seconds is None:
            return
        if not isinstance(writer, KeepingWriter):
            message = "keeps nothing here: this kind of destination has no undo; leave it out"
            raise BadInput([Fault(field=f"{self._past.spec.name}.undo", message=message)])
        notes = [note for note in self._past.notes() if note["sequence"] < self._past.fence.sequence]
        if notes and notes[0]["rows"] is None:  # that run did not get through its swap: what it found is still there
            before, generation = notes[0]["before"], notes[0]["generation"]
        else:
            before, generation = self._past.present(writer.stood()), self._generation(notes)
        self._past.begin(before, generation=generation, seconds=self._seconds, now=self._past.run_id)

    def _generation(self, notes: list[Document]) -> str | None:
        """The run whose rows are there, an undo seen through; None where it is not known any more."""
        past = self._past
        found: str | None = past.insist(
            lambda: past.store.runs.last_to_write(past.job.id, past.spec.name, past.fence.sequence)
        )
        return next((note["now"] for note in notes if found in (None, note["run_id"])), found)

    def date(self) -> None:
        """Before the swap."""
        if self._seconds is not None:
            self._past.date(self._seconds)

    def close(self, writer: Writer) -> None:
        """After the swap."""
        if self._seconds is None:
            self._past.expire()
        elif isinstance(writer, KeepingWriter):
            self._past.close(writer.kept())


def _newest(stored: Mapping[str, Any] | None, stood: Position | None) -> Any:
    """The checkpoint that counts, as a destination keeps it: the later written of ours and the destination's."""
    known = []
    if stored:
        known.append((stored["sequence"], stored["token"], 0, kept_with(stored["value"], stored.get("of"))))
    if stood:
        known.append((stood.sequence, stood.token, 1, stood.checkpoint))
    return max(known, key=lambda one: one[:3])[3] if known else None


def _bare(schema: Mapping[str, Any] | None) -> Document | None:
    return None if schema is None else {name: schema[name] for name in ("target", "key", "columns")}
