"""Streams moved between real connectors without a store: each `go` is one run of one stream, to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.worker.connectors.test_broken_off import Keeper
from worker.batch import Batch
from worker.connectors import open_end
from worker.connectors.protocol import Fence, Source
from worker.job import Guards, StreamSpec
from worker.sync.move import Ends, Reporter, StreamRun, move
from worker.sync.progress import StreamProgress

# Changes what a source gives: its batches in, others out.
Twist = Callable[[Iterator[Batch]], Iterator[Batch]]
End = tuple[str, dict[str, str]]


class Twisted:
    """A source that does not give what it has."""

    def __init__(self, source: Source, twist: Twist) -> None:
        self._source = source
        self._twist = twist

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        return self._twist(self._source.read(spec, checkpoint))


@dataclass
class Mover:
    """One stream from `source` to `destination`, run after run; `told` is what the last run said."""

    source: End
    destination: End
    spec: StreamSpec
    guards: Guards = field(default_factory=Guards)
    keeper: Keeper = field(default_factory=Keeper)
    told: list[str] = field(default_factory=list)
    sequence: int = 0

    def go(self, twist: Twist | None = None, *, again: bool = False) -> StreamProgress:
        """A new run, or the next attempt of the last one."""
        self.sequence += not again
        token = self.keeper.fence[1] + 1
        self.keeper.fence = (self.sequence, token)
        self.told.clear()
        progress = StreamProgress()
        part = StreamRun(
            spec=self.spec,
            fence=Fence(job="job", stream=self.spec.name, sequence=self.sequence, token=token),
            generations=frozenset({self.sequence}),
            guards=self.guards,
        )
        reporter = Reporter(check=lambda: None, tell=lambda level, line: self.told.append(line))
        source: Any
        destination: Any
        with open_end(*self.source, "source") as source, open_end(*self.destination, "destination") as destination:
            read: Any = Twisted(source, twist) if twist else source
            keeper: Any = self.keeper
            move(part, Ends(source=read, destination=destination), keeper, progress, reporter)
        return progress
