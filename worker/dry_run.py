"""A dry run: what the next run of a job would do to each of its streams, with nothing written anywhere.

No run is made, no checkpoint moves and no key is made; the destination is opened only to be read, so a user who may not
write there will do. It promises nothing about what the sources say a moment later. See docs/decisions/0027-dry-run.md.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

from worker import clock, connectors
from worker.batch import Batch
from worker.connection import Connection
from worker.connectors.protocol import Capabilities, Destination, Fence, Founded, Source, Stream
from worker.declaration import resolve
from worker.errors import BadInput, Cancelled, Fault, StoreUnavailable, StreamNotFound, SyncworkerError
from worker.job import RUN_ID, SYNCED_AT, Job, StreamSpec
from worker.keeper import CheckpointKeeper
from worker.sealed_checkpoint import SealedCheckpoint
from worker.store import Store
from worker.streams import in_words, known_there_as
from worker.sync import outlook
from worker.sync.basis import basis_of
from worker.sync.columns import Marks
from worker.sync.move import Ends, StreamRun, starting_point
from worker.sync.outlook import Before, Bounds, Outlook, OutOfTime
from worker.vault import Vault
from worker.verification import there

log = logging.getLogger(__name__)

# What stands for the id of a run that there is not.
NO_RUN = "dry-run"
_UNKNOWN_KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One `stream` or all; at most `rows` of each; `seconds` for the whole, shared by the streams."""

    stream: str | None = None
    rows: int | None = None
    seconds: float | None = None


class DryRun:
    """Of `job` as it is said to be; `saved` is the stored one, whose rows are there, or None where there is none.

    `connections` by id are looked at in place of the stored ones.
    """

    def __init__(
        self,
        job: Job,
        saved: Job | None,
        store: Store,
        vault: Vault,
        *,
        connections: Mapping[str, Connection] | None = None,
    ) -> None:
        self._job = job
        self._connections = connections or {}
        self._saved = saved
        self._store = store
        self._vault = vault

    def look(self, asked: Asked, check: Callable[[], None] = lambda: None) -> dict[str, Outlook]:
        """The outlook of each stream by name, in the job's order. `check` raises where it must end at once.

        What is wrong with one stream stands in its outlook. Raises BadInput for a stream that the job does not have,
        and what is wrong with a connection.
        """
        specs = [spec for spec in self._job.streams if asked.stream in (None, spec.name)]
        if not specs:
            names = ", ".join(spec.name for spec in self._job.streams)
            message = f"is {asked.stream!r}; job {self._job.id} has {names}"
            raise BadInput([Fault(field="stream", message=message)])
        source, destination = self._connection(self._job.source), self._connection(self._job.destination)
        end = None if asked.seconds is None else clock.monotonic() + asked.seconds
        found = {}
        for left, spec in zip(range(len(specs), 0, -1), specs, strict=True):
            seconds = None if end is None else max(0.0, end - clock.monotonic()) / left
            bounds = Bounds(rows=asked.rows, seconds=seconds, check=check)
            found[spec.name] = self._one(spec, source, destination, bounds)
        return found

    def _one(self, spec: StreamSpec, source: Connection, destination: Connection, bounds: Bounds) -> Outlook:
        found = Outlook(spec=spec)
        try:
            with _opened(source) as reading, _opened(destination) as opened:
                lying = _lying(opened)
                unwritten = cast(Destination, _Unwritten(_capabilities(destination), lying))
                part, before = self._part(spec, found)
                ends = Ends(source=reading, destination=unwritten)
                outlook.look(found, part, ends, there(lying, destination, spec), before, bounds)
        except (Cancelled, StoreUnavailable):
            raise
        except OutOfTime:
            found.partial = True
        except SyncworkerError as error:
            found.error = in_words(error)
        except Exception as error:  # a connector may raise anything
            log.exception("the dry run of %s/%s failed", self._job.id, spec.name)
            found.error = f"{type(error).__name__}: {in_words(error)}"
        return found

    def _connection(self, connection_id: str) -> Connection:
        said = self._connections.get(connection_id) or self._store.connections(self._vault).get(connection_id)
        return resolve(said, os.environ)

    def _part(self, spec: StreamSpec, found: Outlook) -> tuple[StreamRun, Before]:
        """The stream as a run would be given it, with neither a sequence nor a claim, and where it stands."""
        job_id, store = self._job.id, self._store
        fence = Fence(job=known_there_as(self._saved or self._job), stream=spec.name, sequence=0, token=0)
        part = StreamRun(
            spec=spec,
            fence=fence,
            generations=frozenset(),
            guards=self._job.guards,
            marks=Marks(hash_key=self._hash_key(spec, found), values={SYNCED_AT: store.now(), RUN_ID: NO_RUN}),
            cover=SealedCheckpoint(lambda: store.keys(self._vault).checkpoint_vault(make=False), job_id, spec.name),
            basis=basis_of(self._job, spec),
        )
        keeper = CheckpointKeeper(
            checkpoints=store.checkpoints,
            schemas=store.schemas,
            insist=lambda call: call(),
            job_id=job_id,
            run_id=NO_RUN,
            fence=fence,
            basis=part.basis,
        )
        start, anew = starting_point(part, keeper.load(), None)
        if anew:
            found.notes.append(f"{anew}: it begins anew, not from its checkpoint")
        assert part.cover is not None
        return part, Before(record=keeper.delivered(), checkpoint=None if start is None else part.cover.open(start))

    def _hash_key(self, spec: StreamSpec, found: Outlook) -> bytes:
        if not spec.hash:
            return b""
        key = self._store.keys(self._vault).made_hash_key()
        if key is not None:
            return key
        found.notes.append("the key of hash is made at first use: a run will write other hashes than these")
        return os.urandom(_UNKNOWN_KEY_BYTES)


def _opened(connection: Connection) -> Source:
    """A connection to be read, whichever end of the job it is."""
    return cast(Source, connectors.open_end(connection.type, connection.settings, "source"))


class _Nowhere:
    """The source that a destination is before its first write has made it: it has no stream."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def check(self) -> None: ...

    def streams(self) -> list[Stream]:
        return []

    def describe(self, spec: StreamSpec) -> Stream:
        raise StreamNotFound(f"there is no {spec.name!r} yet")

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        raise StreamNotFound(f"there is no {spec.name!r} yet")


def _lying(source: Source) -> Source:
    """The destination as a source; where it is not founded yet, one without streams, in place of one out of reach."""
    return _Nowhere() if isinstance(source, Founded) and not source.founded() else source


class _Unwritten:
    """A destination that tells what it can and holds, and that nobody can write to."""

    def __init__(self, capabilities: Capabilities, lying: Source) -> None:
        self.capabilities = capabilities
        self._lying = lying

    def holds(self, name: str) -> bool:
        try:
            self._lying.describe(StreamSpec(name=name))
        except StreamNotFound:
            return False
        return True


def _capabilities(connection: Connection) -> Capabilities:
    with connectors.open_end(connection.type, connection.settings, "destination") as destination:
        return destination.capabilities
