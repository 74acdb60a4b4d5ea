"""What people see: relative times, sizes, tables, and the progress of a run on a terminal and off it."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import terminal
from worker import clock

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "now"), (0.4, "now"), (5, "in 5s"), (-90, "1m30s ago"), (3_700, "in 1h1m"), (-200_000, "2d7h ago")],
)
def test_distances_have_two_units_at_most(seconds: float, words: str) -> None:
    assert terminal.distance(NOW + timedelta(seconds=seconds), NOW) == words


def test_times_are_absolute_and_relative() -> None:
    assert terminal.when(NOW + timedelta(minutes=5), NOW) == "2026-03-29T01:05:00Z (in 5m)"
    assert terminal.when(None, NOW) == "-"


@pytest.mark.parametrize(("count", "words"), [(0, "0 B"), (999, "999 B"), (3_400_000, "3.4 MB"), (2e12, "2.0 TB")])
def test_sizes_have_units(count: float, words: str) -> None:
    assert terminal.size(count) == words


def test_a_table_lines_up(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_table(["A", "LONG"], [["first", "x"], ["y", "z"]])
    assert capsys.readouterr().out.splitlines() == ["A      LONG", "first  x", "y      z"]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def stream(state: str, read: int, total: int | None = None) -> dict[str, Any]:
    return {"state": state, "read": read, "written": read, "bytes": read * 10, "deleted": 0, "total": total}


def run(state: str = "running", **streams: dict[str, Any]) -> dict[str, Any]:
    return {"_id": "r1", "job_id": "orders", "state": state, "reason": None, "progress": streams}


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock: set its only item."""
    now = [100.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    return now


def test_a_bar_is_drawn_where_totals_are_known(seconds: list[float]) -> None:
    screen = Screen()
    progress = terminal.Progress(screen)
    progress(run(a=stream("succeeded", 50, 50), b=stream("running", 10, 70)))
    assert "[############............]  50% orders: b (2 of 2), 60 rows read" in screen.getvalue()
    progress.tell("something happened")
    assert screen.getvalue().endswith("\r\x1b[Ksomething happened\n")


def test_without_totals_there_are_numbers_alone(seconds: list[float]) -> None:
    screen = Screen()
    terminal.Progress(screen)(run(a=stream("running", 10)))
    assert "[#" not in screen.getvalue()
    assert "orders: a, 10 rows read" in screen.getvalue()


def test_off_a_terminal_there_is_a_plain_line_a_second(seconds: list[float]) -> None:
    out = io.StringIO()
    progress = terminal.Progress(out)
    for tenth in range(31):
        seconds[0] = 100.0 + tenth / 10
        progress(run(a=stream("running", tenth)))
    assert out.getvalue().splitlines() == [
        "orders: a, 10 rows read, 10 written, 100 B, 10 rows/s in 1.0 s",
        "orders: a, 20 rows read, 20 written, 200 B, 10 rows/s in 2.0 s",
        "orders: a, 30 rows read, 30 written, 300 B, 10 rows/s in 3.0 s",
    ]


def test_a_wait_between_attempts_is_told_once(seconds: list[float]) -> None:
    out = io.StringIO()
    progress = terminal.Progress(out)
    waiting = run("queued") | {"reason": "attempt 1 of 3 failed; the next in 10 s"}
    progress(waiting)
    progress(waiting)
    assert out.getvalue() == "attempt 1 of 3 failed; the next in 10 s\n"
