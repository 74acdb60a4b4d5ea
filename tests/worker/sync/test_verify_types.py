"""A value of every type, from every kind of place to every other: verification finds no difference, and would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contracts.destination import fence
from tests.worker.connectors.matrix import KINDS, Moved, Place, examples_of, moved, places
from worker import clock
from worker.connectors import open_end
from worker.job import Guards, StreamSpec, Write
from worker.sync.drift import Record
from worker.sync.move import Ends, StreamRun, prepare
from worker.sync.sides import Sides, There
from worker.sync.types import columns_of
from worker.sync.verify import Comparison, Verdict


def _go() -> None:
    """Nobody asks us to end."""


PAIRS = [(one, other) for one in KINDS for other in KINDS]


def compared(one: Place, other: Place, left_out: Moved, *, noted: bool) -> tuple[Verdict, list[str]]:
    """What a comparison of `every` here with `there` says, and which single columns differ.

    `noted`: the run before noted what it delivered, as a job's does.
    """
    own = ("_id",) if one.kind == "mongodb" else ()
    spec = StreamSpec(
        name="every",
        write=Write.REPLACE,
        key=("id",),
        target="there",
        exclude=(*own, *left_out.refused),
        options={"format": other.kind} if other.connector == "files" and one.connector != "files" else {},
    )
    part = StreamRun(spec=spec, fence=fence(), generations=frozenset({1}), guards=Guards())
    options: dict[str, Any] = {"format": other.kind} if other.connector == "files" else {}
    with (
        open_end(one.connector, one.settings, "source") as source,
        open_end(other.connector, other.settings, "destination") as destination,
        open_end(other.connector, other.settings, "source") as there,
    ):
        ends = Ends(source=source, destination=destination)  # type: ignore[arg-type]
        looked_at = There(source=there, options=options)  # type: ignore[arg-type]
        moving, record = prepare(part, ends, None, _go)
        if noted:
            (batch,) = source.read(StreamSpec(name="every"), None)  # type: ignore[union-attr]
            columns = columns_of(
                [row for row in Sides(moving, None, ends, looked_at, _go).mapped(batch.rows) if row], ()
            )
            delivered = Record(target="there", key=("id",)).with_columns(("id",), moving.target.columns or columns)
            moving, record = prepare(part, ends, delivered, _go)
        with Comparison(Sides(moving, record, ends, looked_at, _go), clock.wall(), None) as comparison:
            return comparison.verdict, _columns(Sides(moving, record, ends, looked_at, _go), one, other)


def _columns(sides: Sides, one: Place, other: Place) -> list[str]:
    """The single columns that differ, with both values: for the message of a failure."""
    read = next(iter(sides._source.read(StreamSpec(name="every"), None)))
    there = next(iter(sides.there.source.read(sides.target, None)))
    (row,) = [row for row in sides.mapped(read.rows) if row]
    found = []
    for name, value in row.items():
        left = sides.entry({"id": 1, name: value})
        (right,) = sides.entries_there([{n: v for n, v in there.rows[0].items() if n in ("id", "_id", name)}])
        if left.digest != right.digest:
            found.append(f"{name} {examples_of(one.kind).get(name)}: {value!r} there {there.rows[0].get(name)!r}")
    return found


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[f"{one}-{other}" for one, other in PAIRS])
def test_every_type_of_one_is_equal_in_the_other(
    one: str, other: str, mongo_url: str, postgres_url: str, tmp_path: Path
) -> None:
    with places(postgres_url, mongo_url, tmp_path / f"verify-{one}-{other}") as place:
        here, there = place["one", one], place["other", other]
        here.fill(examples_of(one))
        left_out = moved(here, there, "every", "there")
        for noted in (False, True):
            verdict, columns = compared(here, there, left_out, noted=noted)
            assert not columns
            assert (verdict.rows, verdict.there, verdict.differing) == (1, 1, 0)
