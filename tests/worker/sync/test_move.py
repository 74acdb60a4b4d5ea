"""The engine over ends in memory: what it writes, where it goes on, and when it writes no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.worker.sync.memory import MemoryDestination, MemorySource, rows
from worker.connectors.protocol import Fence, Position
from worker.errors import BadInput, Cancelled, Held, LostClaim, SourceUnavailable, Stopped
from worker.job import Guards, Mode, StreamSpec, Write
from worker.sync.drift import Record
from worker.sync.move import Ends, Reporter, StreamRun, move, starting_point
from worker.sync.pipe import MOST_BATCHES
from worker.sync.progress import StreamProgress


@dataclass
class Kept:
    """A keeper in memory."""

    stored: dict[str, Any] | None = None
    saves: list[Any] = field(default_factory=list)
    sequence: int = 1
    token: int = 1
    record: Record | None = None

    def load(self) -> Mapping[str, Any] | None:
        return self.stored

    def save(self, value: Any) -> None:
        self.saves.append(value)
        self.stored = {"value": value, "sequence": self.sequence, "token": self.token}

    def forget(self) -> None:
        self.stored = None

    def delivered(self) -> Record | None:
        return self.record

    def note(self, record: Record) -> None:
        self.record = record


@dataclass
class Told:
    """A reporter that raises once `stop_after` looks were taken."""

    stop_after: int | None = None
    reason: Exception = field(default_factory=lambda: Stopped("shutting down"))
    lines: list[str] = field(default_factory=list)
    looks: int = 0

    def check(self) -> None:
        self.looks += 1
        if self.stop_after is not None and self.looks > self.stop_after:
            raise self.reason

    def reporter(self) -> Reporter:
        return Reporter(check=self.check, tell=lambda _, message: self.lines.append(message))


def part(
    write: Write = Write.REPLACE, mode: Mode = Mode.FULL, *, sequence: int = 1, token: int = 1, **more: Any
) -> StreamRun:
    spec = StreamSpec(name="people", mode=mode, write=write, key=("id",), cursor="id", **more)
    fence = Fence(job="j", stream="people", sequence=sequence, token=token)
    return StreamRun(spec=spec, fence=fence, generations=frozenset({sequence}), guards=Guards())


def go(
    work: StreamRun,
    source: MemorySource,
    destination: MemoryDestination,
    *,
    kept: Kept | None = None,
    told: Told | None = None,
) -> StreamProgress:
    progress = StreamProgress()
    reporter = (told or Told()).reporter()
    move(work, Ends(source=source, destination=destination), kept or Kept(), progress, reporter)
    return progress


def test_a_full_stream_replaces_the_target_and_counts() -> None:
    destination = MemoryDestination()
    destination.tables["people"] = rows(900, 920)
    progress = go(part(), MemorySource(rows(1, 25)), destination)
    assert destination.tables["people"] == rows(1, 25)
    assert (progress.read, progress.written, progress.bytes, progress.total) == (25, 25, 2500, 25)
    assert progress.state == "succeeded"


def test_a_checkpoint_follows_each_written_batch() -> None:
    kept = Kept()
    go(part(Write.APPEND, Mode.INCREMENTAL), MemorySource(rows(1, 25)), MemoryDestination(), kept=kept)
    assert list(dict.fromkeys(kept.saves)) == [10, 20, 25]
    assert kept.stored is not None and kept.stored["value"] == 25


def test_a_full_stream_keeps_no_checkpoint_after_its_end() -> None:
    kept = Kept()
    go(part(), MemorySource(rows(1, 25)), MemoryDestination(), kept=kept)
    assert kept.stored is None


def test_a_source_that_breaks_off_leaves_the_old_data() -> None:
    destination = MemoryDestination()
    destination.tables["people"] = rows(1, 5)
    source = MemorySource(rows(1, 25))
    source.fails_after, source.error = 20, SourceUnavailable("connection reset")
    with pytest.raises(SourceUnavailable, match="connection reset"):
        go(part(), source, destination)
    assert destination.tables["people"] == rows(1, 5)


def test_the_next_attempt_goes_on_behind_what_is_staged() -> None:
    destination, source, kept = MemoryDestination(), MemorySource(rows(1, 25)), Kept()
    source.fails_after, source.error = 20, SourceUnavailable("connection reset")
    with pytest.raises(SourceUnavailable):
        go(part(), source, destination, kept=kept)
    source.fails_after = None
    go(part(token=2), source, destination, kept=kept)
    assert source.asked_from == [None, 20]
    assert destination.tables["people"] == rows(1, 25)


def test_an_empty_source_is_held_and_empties_nothing() -> None:
    destination = MemoryDestination()
    destination.tables["people"] = rows(1, 3)
    with pytest.raises(Held, match="would have 0; that removes 3"):
        go(part(), MemorySource([]), destination)
    assert destination.tables["people"] == rows(1, 3)
    assert destination.staging == {}


@pytest.mark.parametrize(("left", "held"), [(80, False), (79, True), (100, False), (150, False), (0, True)])
def test_a_guard_holds_what_shrinks_by_more_than_a_fifth(left: int, held: bool) -> None:
    destination = MemoryDestination()
    destination.tables["people"] = rows(1, 100)
    source = MemorySource(rows(1, left))
    if held:
        with pytest.raises(Held) as stopped:
            go(part(), source, destination)
        assert stopped.value.removes == 100 - left
        assert len(destination.tables["people"]) == 100
    else:
        go(part(), source, destination)
        assert len(destination.tables["people"]) == left


def test_fewer_than_ten_rows_are_never_held() -> None:
    destination = MemoryDestination()
    destination.tables["people"] = rows(1, 12)
    go(part(), MemorySource(rows(1, 3)), destination)
    assert destination.tables["people"] == rows(1, 3)


def test_an_approval_is_a_ceiling() -> None:
    destination = MemoryDestination()
    destination.tables["people"] = rows(1, 100)
    approved = part()
    approved = StreamRun(
        spec=approved.spec, fence=approved.fence, generations=approved.generations, guards=Guards(), approved=50
    )
    with pytest.raises(Held):
        go(approved, MemorySource(rows(1, 49)), destination)
    go(approved, MemorySource(rows(1, 50)), destination)
    assert destination.tables["people"] == rows(1, 50)


@pytest.mark.parametrize("reason", [LostClaim("lost"), Cancelled("by ann")])
def test_it_writes_no_more_once_it_must_end(reason: Exception) -> None:
    destination, told = MemoryDestination(), Told(stop_after=3, reason=reason)
    with pytest.raises(type(reason)):
        go(part(Write.APPEND), MemorySource(rows(1, 500), size=1), destination, told=told)
    assert len(destination.tables["people"]) <= 3


def test_told_to_stop_it_writes_what_it_has_read_and_saves_where_that_ends() -> None:
    destination, kept, told = MemoryDestination(), Kept(), Told(stop_after=3)
    with pytest.raises(Stopped):
        go(part(Write.APPEND), MemorySource(rows(1, 500), size=1), destination, kept=kept, told=told)
    written = len(destination.tables["people"])
    assert written <= 3 + MOST_BATCHES + 1
    assert kept.stored is not None and kept.stored["value"] == written


def test_what_was_staged_stays_for_a_stop_and_goes_for_a_cancel() -> None:
    stopped, cancelled = MemoryDestination(), MemoryDestination()
    with pytest.raises(Stopped):
        go(part(), MemorySource(rows(1, 50)), stopped, told=Told(stop_after=2))
    with pytest.raises(Cancelled):
        go(part(), MemorySource(rows(1, 50)), cancelled, told=Told(stop_after=2, reason=Cancelled("by ann")))
    assert stopped.staging and not cancelled.staging


def test_a_source_that_hangs_does_not_hold_up_a_cancel() -> None:
    import threading

    source = MemorySource(rows(1, 50))
    source.gate = threading.Event()
    try:
        with pytest.raises(Cancelled):
            go(part(), source, MemoryDestination(), told=Told(stop_after=5, reason=Cancelled("by ann")))
    finally:
        source.gate.set()
    assert source.closed.wait(10)


def test_columns_are_chosen_and_renamed() -> None:
    destination = MemoryDestination()
    work = part(rename={"name": "full_name"})
    go(work, MemorySource(rows(1, 2)), destination)
    assert destination.tables["people"] == [{"id": 1, "full_name": "n1"}, {"id": 2, "full_name": "n2"}]
    assert [column.name for column in destination.columns] == ["id", "full_name"]


def test_a_key_of_the_sources_own_may_be_left_out() -> None:
    destination = MemoryDestination()
    spec = StreamSpec(name="people", exclude=("id",))
    fence = Fence(job="j", stream="people", sequence=1, token=1)
    part = StreamRun(spec=spec, fence=fence, generations=frozenset({1}), guards=Guards())
    go(part, MemorySource(rows(1, 2)), destination)
    assert destination.tables["people"] == [{"name": "n1"}, {"name": "n2"}]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"columns": ("id", "nope")}, r"people\.columns: 'nope' is no column of the source; it has id, name"),
        ({"exclude": ("id",)}, r"people\.key: id must not be left out"),
        ({"rename": {"name": "id"}}, r"people\.rename: gives two columns the name id"),
    ],
)
def test_columns_that_cannot_be_are_refused_before_anything_is_written(more: dict[str, Any], message: str) -> None:
    destination = MemoryDestination()
    with pytest.raises(BadInput, match=message):
        go(part(**more), MemorySource(rows(1, 2)), destination)
    assert destination.tables == {} and destination.staging == {}


# stored (sequence, token, value) | position | generations | mode -> start
STARTS = [
    ("nothing known", None, None, Mode.INCREMENTAL, None),
    ("ours alone", (4, 1, "a"), None, Mode.INCREMENTAL, "a"),
    ("the destination's of this run is ahead", (5, 1, "a"), (5, 1, "b"), Mode.INCREMENTAL, "b"),
    ("the destination's of a failed run is ahead", (3, 1, "a"), (4, 2, "b"), Mode.INCREMENTAL, "b"),
    ("a reset outranks the destination", (4, 2**31, None), (4, 2, "b"), Mode.INCREMENTAL, None),
    ("full: an older run's is not ours", (4, 1, "a"), (4, 1, "b"), Mode.FULL, None),
    ("full: this run's goes on", (5, 1, "a"), (5, 1, "b"), Mode.FULL, "b"),
]


@pytest.mark.parametrize("case", STARTS, ids=[case[0] for case in STARTS])
def test_where_reading_goes_on(case: tuple[Any, ...]) -> None:
    _, stored, position, mode, start = case
    work = part(Write.APPEND, mode, sequence=5)
    kept = stored and {"sequence": stored[0], "token": stored[1], "value": stored[2]}
    there = position and Position(sequence=position[0], token=position[1], checkpoint=position[2])
    assert starting_point(work, kept, there) == (start, None)
