"""Where a stream's time goes is counted by laps of one clock, kept over attempts, and told with the rest."""

from __future__ import annotations

import pytest

from worker import clock
from worker.run import StreamState
from worker.sync.progress import STAGES, Spent, StreamProgress, resumed


class Clock:
    """A monotonic clock that is moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.now)

    def pass_(self, seconds: float) -> None:
        self.now += seconds


def test_laps_add_up_to_all_that_passed_since_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = Clock(monkeypatch)
    spent = Spent()
    moving.pass_(7)  # before it begins: counts nowhere
    spent.begin()
    for number, stage in enumerate([*STAGES, *STAGES], start=1):
        moving.pass_(number)
        spent.lap(stage)
    told = spent.document()
    assert told == {"source": 6, "transform": 8, "destination": 10, "checkpoint": 12} and sum(told.values()) == 36


def test_the_next_attempt_counts_on(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = Clock(monkeypatch)
    progress = StreamProgress(state=StreamState.RUNNING, last_write_at=clock.wall())
    progress.spent.begin()
    moving.pass_(2.5)
    progress.spent.lap("destination")
    again = resumed(progress.document())
    again.spent.begin()
    moving.pass_(1)
    again.spent.lap("destination")
    assert again.spent.document()["destination"] == 3.5 and again.last_write_at == progress.last_write_at


def test_what_an_older_program_stored_has_no_times() -> None:
    old = {"state": "running", "read": 1, "written": 1, "deleted": 0, "bytes": 1, "checkpoint": None, "total": None}
    assert resumed(old).spent.document() == dict.fromkeys(STAGES, 0) and resumed(old).last_write_at is None
