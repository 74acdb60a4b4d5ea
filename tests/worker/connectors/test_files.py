"""CSV and JSONL files, plain and gzip, as a source and a destination."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.contracts.destination import FencedContract, row, rows
from tests.contracts.source import MANY, SourceContract, people, person
from worker.batch import Row
from worker.connectors.files import FilesSettings
from worker.connectors.files_source import FilesSource
from worker.connectors.files_writer import FilesDestination
from worker.errors import BadValue, SourceUnavailable
from worker.job import StreamSpec, Write
from worker.sync.values import bytes_text, instant_text, json_text


class _Source(SourceContract):
    name = "people.csv"
    resumes = False

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / self.name

    def source(self) -> FilesSource:
        return FilesSource(FilesSettings(path=str(self.path.parent)))

    def text(self, rows: Sequence[Row]) -> str:
        lines = [] if self.path.exists() else ["id,name,updated_at\n"]
        lines += [f"{one['id']},{one['name']},{_written(one['updated_at'])}\n" for one in rows]
        return "".join(lines)

    def fill(self, rows: Sequence[Row]) -> None:
        data = self.text(rows).encode()
        with self.path.open("ab") as file:
            file.write(gzip.compress(data) if self.name.endswith(".gz") else data)

    def test_rows_that_come_while_reading_are_for_the_next_run(self) -> None:
        """A file that grows while it is read is read again from its beginning."""
        self.fill(people(1, MANY))
        with self.opened() as source:
            reading = source.read(self.incremental(Write.UPSERT), None)
            next(reading)
            self.fill([person(10 * MANY)])
            with pytest.raises(SourceUnavailable, match="changed while it was read"):
                list(reading)

    def test_an_append_can_go_on_in_the_middle_of_a_full_read(self) -> None:
        self.fill(people(1, MANY))
        spec = StreamSpec(name="people", write=Write.APPEND)
        batches = self.read(spec)
        rest = self.read(spec, json.loads(json.dumps(batches[0].checkpoint)))
        assert [one["id"] for batch in [batches[0], *rest] for one in batch.rows] == list(range(1, MANY + 1))
        assert rest[0].first_row == batches[0].count + 1


def _written(moment: datetime | None) -> str:
    return "" if moment is None else instant_text(moment)


class TestCsvSource(_Source):
    pass


class TestCsvGzipSource(_Source):
    name = "people.csv.gz"


class TestJsonlSource(_Source):
    name = "people.jsonl"

    def text(self, rows: Sequence[Row]) -> str:
        return "".join(json_text(one) + "\n" for one in rows)

    def expected(self, row: Row) -> Row:
        return row | {"updated_at": _written(row["updated_at"])}


class _Destination(FencedContract):
    format = "csv"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path

    def settings(self) -> FilesSettings:
        return FilesSettings.model_validate({"path": str(self.path), "format": self.format})

    def destination(self) -> FilesDestination:
        return FilesDestination(self.settings())

    def rows_in(self, name: str) -> list[Row] | None:
        if f"{name}.{self.format}" not in self.places():
            return None
        source = FilesSource(self.settings())
        found = [one for batch in source.read(StreamSpec(name=name), None) for one in batch.rows]
        return sorted(found, key=lambda one: one["id"])

    def places(self) -> set[str]:
        return {path.name for path in self.path.iterdir()}

    def unholdable(self) -> Row | None:
        return {"name": "half a character: \ud83d"}

    def expected(self, row: Row) -> Row:
        return {name: _in_csv(value) for name, value in row.items()}

    def test_a_refused_batch_leaves_the_position_alone(self) -> None:
        """Rows of an append are seen when it is finished."""
        writer = self.writer(Write.APPEND)
        self.put(writer, rows(1, 1), {"n": 1})
        with pytest.raises(BadValue):
            self.put(writer, [row(2) | {"name": "\ud83d"}], {"n": 2})
        writer.abort()
        position = self.writer(Write.APPEND, sequence=2).position()
        assert position is not None
        assert position.checkpoint == {"n": 1}
        assert self.seen() == rows(1, 1)

    def test_rows_that_a_dead_run_had_acknowledged_come_with_the_next(self) -> None:
        for number, write in enumerate((Write.APPEND, Write.UPSERT)):
            dead = self.writer(write, sequence=2 * number + 1, name=str(write))
            self.put(dead, rows(1, 2), {"n": 1})
            dead.close()
            self.run(write, [rows(3, 3)], sequence=2 * number + 2, name=str(write))
            assert self.seen(str(write)) == rows(1, 3)


def _in_csv(value: Any) -> Any:
    """What the text of a value reads back as, in a column of its own."""
    if isinstance(value, (dict, list)):
        return json_text(value)
    if isinstance(value, UUID):
        return str(value)
    return bytes_text(value) if isinstance(value, bytes) else value


class TestCsvDestination(_Destination):
    pass


class TestCsvGzipDestination(_Destination):
    format = "csv.gz"


class TestJsonlDestination(_Destination):
    format = "jsonl"

    def expected(self, row: Row) -> Row:
        return {name: _in_jsonl(value) for name, value in row.items()}


class TestJsonlGzipDestination(TestJsonlDestination):
    format = "jsonl.gz"


def _in_jsonl(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, (date, time, UUID)):
        return str(value)
    if isinstance(value, Decimal):
        return float(value) if len(str(value)) < 10 else value
    return bytes_text(value) if isinstance(value, bytes) else value
