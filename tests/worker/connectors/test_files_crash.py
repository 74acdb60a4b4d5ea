"""A process that dies at any step of writing a file: the next attempt ends with every row once, nothing left over."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.destination import COLUMNS, fence, row, rows
from worker.batch import Batch, Row
from worker.connectors.files import FilesSettings
from worker.connectors.files_source import FilesSource
from worker.connectors.files_writer import FilesDestination
from worker.connectors.protocol import Target
from worker.job import StreamSpec, Write

BATCHES = [rows(1, 2), rows(3, 3), rows(4, 5)]
# What changes the disk; a crash comes before or after the n-th such call.
STEPS = ("rename", "link", "fsync", "truncate")


class Died(BaseException):
    """Not an Exception: nothing may catch it and tidy up."""


class Crash:
    """Lets so many steps happen, then dies."""

    def __init__(self, after: int) -> None:
        self.left = after

    def step(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:
            if self.left == 0:
                raise Died
            self.left -= 1
            return call(*args, **kwargs)

        return stepped


def attempt(folder: Path, write: Write, format_: str, token: int) -> None:
    """As the engine does it: from the destination's position on."""
    settings = FilesSettings.model_validate({"path": str(folder), "format": format_})
    target = Target(name="x", write=write, columns=COLUMNS, key=("id",), fence=fence(2, token))
    writer = FilesDestination(settings).open(target)
    position = writer.position()
    start = position.checkpoint if position is not None and position.sequence == 2 else 0
    for number, batch in enumerate(BATCHES[start:], start=start + 1):
        writer.write(Batch(stream="x", rows=batch, bytes=1, checkpoint=number), COLUMNS)
    writer.finish()


def read(folder: Path) -> list[Row]:
    source = FilesSource(FilesSettings(path=str(folder)))
    return [one for batch in source.read(StreamSpec(name="x"), None) for one in batch.rows]


@pytest.mark.parametrize("format_", ["csv", "jsonl.gz"])
@pytest.mark.parametrize("write", list(Write))
@pytest.mark.parametrize("exists", [True, False])
def test_a_crash_at_any_step_loses_and_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write, format_: str, exists: bool
) -> None:
    ended = False
    steps = 0
    while not ended:
        folder = tmp_path / str(steps)
        folder.mkdir()
        if exists:
            before = FilesSettings.model_validate({"path": str(folder), "format": format_})
            target = Target(name="x", write=Write.REPLACE, columns=COLUMNS, key=(), fence=fence(1))
            writer = FilesDestination(before).open(target)
            writer.write(Batch(stream="x", rows=[row(0)], bytes=1), COLUMNS)
            writer.finish()
        with monkeypatch.context() as patched:
            crash = Crash(steps)
            for name in STEPS:
                patched.setattr(os, name, crash.step(getattr(os, name)))
            try:
                attempt(folder, write, format_, 1)
                ended = True
            except Died:
                assert read(folder) in ([row(0)], [row(0), *rows(1, 5)], rows(1, 5)) if exists else True
        attempt(folder, write, format_, 2)
        kept = [row(0)] if exists and write is not Write.REPLACE else []
        assert read(folder) == [*kept, *rows(1, 5)], f"died after {steps} steps"
        left = {path.name.partition("syncworker-")[2][12:] for path in folder.iterdir() if path.name.startswith(".")}
        assert left == {".json"}, f"died after {steps} steps"
        steps += 1
    assert steps > 10
