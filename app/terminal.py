"""Words, tables and progress for people, JSON for programs. It prints what it is given and asks nobody."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TextIO

from pydantic import BaseModel

from worker import clock
from worker.clock import iso
from worker.duration import format_duration
from worker.logs import redact
from worker.run import ACTIVE, RunState, StreamState

GOOD, BAD, DIM = 32, 31, 2
BAR = 24
PLAIN_EVERY = 1.0
DRAW_EVERY = 0.1


def print_json(value: object) -> None:
    """A shape of the API, or plain data, as one JSON document."""
    print(json.dumps(_plain(value), ensure_ascii=False, indent=2, default=str))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell, two blanks apart; the last is left open."""
    lines = [list(headings), *[[redact(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def when(moment: datetime | None, now: datetime) -> str:
    """`2026-03-29T01:00:00Z (in 5m)`; a dash where there is none."""
    return "-" if moment is None else f"{iso(moment.replace(microsecond=0))} ({distance(moment, now)})"


def distance(moment: datetime, now: datetime) -> str:
    """`in 5m`, `3h ago`, `now`: to the two largest units."""
    seconds = (moment - now).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"in {_about(seconds)}" if seconds > 0 else f"{_about(-seconds)} ago"


def size(count: float) -> str:
    """`512 B`, `3.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def painted(text: str, colour: int, out: TextIO) -> str:
    """`text` in a colour (`GOOD`, `BAD`, `DIM`) where `out` is a terminal. https://no-color.org"""
    return f"\x1b[{colour}m{text}\x1b[0m" if out.isatty() and not os.environ.get("NO_COLOR") else text


def _about(seconds: float) -> str:
    whole = int(seconds)
    for unit, finer in ((86_400, 3_600), (3_600, 60), (60, 1)):
        if whole >= unit:
            return format_duration(whole - whole % finer)
    return format_duration(whole)


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", fallback=str)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return iso(value) if isinstance(value, datetime) else value


class Progress:
    """Watches a run: a bar that redraws itself on a terminal, one plain line a second elsewhere."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._bar = self._out.isatty()
        self._begun = clock.monotonic()
        self._next = self._begun if self._bar else self._begun + PLAIN_EVERY
        self._reason = ""
        self._written = 0
        self._moved = self._begun
        self._drawn = False

    def __call__(self, run: dict[str, Any]) -> None:
        """Show the run as it stands, if it is time to."""
        if run["state"] == RunState.QUEUED and run["reason"] and run["reason"] != self._reason:
            self._reason = run["reason"]
            self.tell(self._reason)
        now = clock.monotonic()
        written = sum(one["written"] for one in run["progress"].values())
        if written != self._written:  # what is stored moves once a second: a rate between two moves would only fall
            self._written, self._moved = written, now
        if now < self._next or run["state"] not in ACTIVE:
            return
        self._next = now + (DRAW_EVERY if self._bar else PLAIN_EVERY)
        self._show(run, now - self._begun)

    def tell(self, text: str) -> None:
        """A line of its own, above the bar."""
        self.clear()
        print(redact(text), file=self._out, flush=True)

    def clear(self) -> None:
        if self._drawn:
            self._out.write("\r\x1b[K")
            self._drawn = False

    def _show(self, run: dict[str, Any], seconds: float) -> None:
        line = f"{run['job_id']}: {_streams(run)}, {_amounts(run, self._moved - self._begun)} in {seconds:.1f} s"
        if not self._bar:
            print(line, file=self._out, flush=True)
            return
        self._out.write(f"\r\x1b[K{_bar(run)}{line}")
        self._out.flush()
        self._drawn = True


def summary(run: dict[str, Any]) -> str:
    """How a run ended, in a line for it and one for each of its streams where there are several."""
    seconds = 0.0
    if run["started_at"] and run["finished_at"]:
        seconds = (run["finished_at"] - run["started_at"]).total_seconds()
    lines = [f"run {run['_id']} of {run['job_id']} {run['state']}: {_amounts(run, seconds)} in {seconds:.1f} s"]
    if len(run["progress"]) > 1:
        lines += [
            f"  {name}: {one['state']}, {one['read']:,} read, {one['written']:,} written"
            for name, one in run["progress"].items()
        ]
    return "\n".join(lines)


def _amounts(run: dict[str, Any], seconds: float) -> str:
    read, written, moved = (sum(one[name] for one in run["progress"].values()) for name in ("read", "written", "bytes"))
    rate = f", {written / seconds:,.0f} rows/s" if seconds >= 1 else ""
    return f"{read:,} rows read, {written:,} written, {size(moved)}{rate}"


def _streams(run: dict[str, Any]) -> str:
    """Which stream moves, of how many."""
    names = list(run["progress"])
    moving = [name for name in names if run["progress"][name]["state"] == StreamState.RUNNING]
    if not moving:
        return str(run["state"])
    of = f" ({names.index(moving[0]) + 1} of {len(names)})" if len(names) > 1 else ""
    return f"{moving[0]}{of}"


def _bar(run: dict[str, Any]) -> str:
    """How much of the rows is read, where every stream's total is known."""
    totals = [one.get("total") for one in run["progress"].values()]
    if not totals or any(not total for total in totals):
        return ""
    part = min(1.0, sum(one["read"] for one in run["progress"].values()) / sum(totals))
    filled = round(part * BAR)
    return f"[{'#' * filled}{'.' * (BAR - filled)}] {part:4.0%} "
