"""A process that replaces a target, or takes it back, and stops between keeping the old generation and the swap."""

from __future__ import annotations

import dataclasses
import importlib
import json
import signal
import sys
from typing import Any

from worker import connectors
from worker.batch import Batch
from worker.connectors.protocol import Fence, Target
from worker.job import Write
from worker.sync.types import columns_of

# What a replace, and an undo, does next when the old generation is kept.
SWAPS = {
    "sqlite": ("sqlite_writer.SQLiteWriter.refill", "sqlite_writer.SQLiteWriter.restore"),
    "postgres": ("postgres_writer.PostgresWriter.refill", "postgres_writer.PostgresWriter.restore"),
    "mongodb": ("mongodb_writer.MongoDBWriter._rename", "mongodb_undo.KeptCollection.put_back"),
    "files": ("part_file.Part.rename_over", "files_undo.FileGenerations._rename"),
}


def destination(type_: str, settings: dict[str, str]) -> Any:
    return connectors.open_end(type_, settings, "destination")


def target(sequence: int, token: int = 1) -> Target:
    fence = Fence(job="j", stream="items", sequence=sequence, token=token)
    return Target(name="items", write=Write.REPLACE, columns=(), key=(), fence=fence, keeps=True)


def replace(to: Any, sequence: int, word: Any, *, token: int = 1, count: int = 50) -> None:
    """The whole target anew: `count` rows that all say `word`."""
    rows = [{"id": number, "name": word} for number in range(1, count + 1)]
    columns = columns_of(rows, ())
    writer = to.open(dataclasses.replace(target(sequence, token), columns=columns))
    writer.write(Batch(stream="items", rows=rows, bytes=1, checkpoint=count), columns)
    writer.finish()
    writer.close()


def undo(to: Any, sequence: int, *, token: int = 1) -> int:
    """Swap what is kept for what is there; the rows that are kept now."""
    generations = to.generations(target(sequence, token))
    try:
        kept: int = generations.swap(generations.kept()[-1], None)
    finally:
        generations.close()
    return kept


def _stop(*_: Any) -> None:
    print("between", flush=True)
    signal.pause()


if __name__ == "__main__":
    kind, told, deed = sys.argv[1:]
    for place in SWAPS[kind]:
        module, owner, name = place.split(".")
        setattr(getattr(importlib.import_module(f"worker.connectors.{module}"), owner), name, _stop)
    with destination(kind, json.loads(told)) as opened:
        replace(opened, 9, "third") if deed == "replace" else undo(opened, 9)
