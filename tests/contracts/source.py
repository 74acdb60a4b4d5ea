"""What every source must do, whatever it reads. A connector's test class inherits these and says how to fill it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest

from worker.batch import TARGET_ROWS, Batch, Row
from worker.connectors.protocol import Source
from worker.errors import BadInput, StreamNotFound, SyncworkerError
from worker.job import Mode, StreamSpec, Write

START = datetime(2024, 1, 1, tzinfo=UTC)
MANY = 2 * TARGET_ROWS + 500


def person(number: int, **changes: Any) -> Row:
    """A row of the stream that the contract reads: integer key, text, and a cursor that several rows share."""
    return {"id": number, "name": f"n{number}", "updated_at": START + timedelta(seconds=number // 3)} | changes


def people(first: int, last: int) -> list[Row]:
    return [person(number) for number in range(first, last + 1)]


class SourceContract:
    """`fill` puts rows into the stream `people` (key `id`), adding to those there; `source` opens it.

    A source without a schema of its own says so with `schemaless`; one that cannot resume with `resumes`.
    """

    schemaless = False
    resumes = True

    def fill(self, rows: Sequence[Row]) -> None:
        raise NotImplementedError

    def source(self) -> Source:
        raise NotImplementedError

    def expected(self, row: Row) -> Row:
        """The row as this source gives it."""
        return row

    @contextmanager
    def opened(self) -> Iterator[Source]:
        with self.source() as source:
            yield source

    def read(self, spec: StreamSpec, checkpoint: Any = None) -> list[Batch]:
        with self.opened() as source:
            return list(source.read(spec, checkpoint))

    def full(self) -> StreamSpec:
        return StreamSpec(name="people", key=("id",))

    def incremental(self, write: Write, **changes: Any) -> StreamSpec:
        return StreamSpec(
            name="people", mode=Mode.INCREMENTAL, write=write, cursor="updated_at", key=("id",), **changes
        )

    def test_the_check_passes_where_all_is_well(self) -> None:
        self.fill(people(1, 3))
        with self.opened() as source:
            source.check()

    def test_streams_are_found_with_their_columns(self) -> None:
        self.fill(people(1, 3))
        with self.opened() as source:
            found = {stream.name: stream for stream in source.streams()}
        assert {"id", "name", "updated_at"} <= {column.name for column in found["people"].columns}

    def test_a_stream_that_is_not_there_is_named(self) -> None:
        self.fill(people(1, 3))
        with self.opened() as source, pytest.raises(StreamNotFound, match="ghosts"):
            source.describe(StreamSpec(name="ghosts"))

    def test_a_full_read_gives_every_row_in_bounded_batches(self) -> None:
        self.fill(people(1, MANY))
        batches = self.read(self.full())
        assert rows_of(batches) == [self.expected(row) for row in people(1, MANY)]
        assert max(batch.count for batch in batches) <= TARGET_ROWS
        assert [batch.first_row for batch in batches] == first_rows(batches)

    def test_an_empty_stream_has_no_batches(self) -> None:
        self.fill([])
        assert self.read(self.full()) == []

    def test_a_full_read_goes_on_behind_any_batch(self) -> None:
        self.fill(people(1, MANY))
        batches = self.read(self.full())
        if not self.resumes:
            assert {batch.checkpoint for batch in batches} == {None}
            return
        rest = self.read(self.full(), stored(batches[0].checkpoint))
        assert rows_of(batches[:1]) + rows_of(rest) == [self.expected(row) for row in people(1, MANY)]
        assert self.read(self.full(), stored(batches[-1].checkpoint)) == []

    def test_an_upsert_reads_again_from_the_checkpoint_on(self) -> None:
        self.fill(people(1, 7))
        spec = self.incremental(Write.UPSERT)
        first = self.read(spec)
        assert ids(first) == [1, 2, 3, 4, 5, 6, 7]
        self.fill([person(0, updated_at=START + timedelta(seconds=2)), person(8), person(30)])
        assert sorted(ids(self.read(spec, stored(first[-1].checkpoint)))) == [0, 6, 7, 8, 30]

    def test_an_append_reads_strictly_behind_cursor_and_key(self) -> None:
        self.fill(people(1, 7))
        spec = self.incremental(Write.APPEND)
        first = self.read(spec)
        self.fill([person(8), person(30)])
        assert ids(self.read(spec, stored(first[-1].checkpoint))) == [8, 30]

    def test_an_append_goes_on_between_rows_of_one_cursor(self) -> None:
        self.fill([person(number, updated_at=START) for number in range(1, MANY + 1)])
        spec = self.incremental(Write.APPEND)
        batches = self.read(spec)
        rest = self.read(spec, stored(batches[0].checkpoint))
        assert ids(batches[:1]) + ids(rest) == list(range(1, MANY + 1))

    def test_a_lookback_reads_older_rows_again(self) -> None:
        self.fill(people(1, 9))
        spec = self.incremental(Write.UPSERT, lookback="1s")
        last = self.read(spec)[-1].checkpoint
        assert ids(self.read(spec, stored(last))) == [6, 7, 8, 9]

    def test_a_lookback_never_takes_the_checkpoint_back(self) -> None:
        self.fill([person(number, updated_at=START + timedelta(seconds=number)) for number in range(1, MANY + 1)])
        spec = self.incremental(Write.UPSERT, lookback="30d")
        last = self.read(spec)[-1].checkpoint
        assert {str(batch.checkpoint) for batch in self.read(spec, last)} == {str(last)}

    @pytest.mark.parametrize(("last", "says"), [(4, "1 row of people was not sent"), (5, "2 rows of people were not")])
    def test_rows_without_a_cursor_are_counted_and_told(self, last: int, says: str) -> None:
        self.fill([*people(1, 3), *(person(number, updated_at=None) for number in range(4, last + 1))])
        with self.opened() as source:
            batches = list(source.read(self.incremental(Write.UPSERT), None))
            told = source.told()  # type: ignore[attr-defined]
        assert ids(batches) == [1, 2, 3]
        assert any(says in line and "updated_at" in line for line in told)

    def test_rows_that_come_while_reading_are_for_the_next_run(self) -> None:
        self.fill(people(1, MANY))
        spec = self.incremental(Write.UPSERT)
        with self.opened() as source:
            reading = source.read(spec, None)
            batches = [next(reading)]
            self.fill([person(10 * MANY)])
            batches += reading
        assert 10 * MANY not in ids(batches)
        assert 10 * MANY in ids(self.read(spec, stored(batches[-1].checkpoint)))

    def test_an_unknown_cursor_is_refused_before_any_row(self) -> None:
        self.fill(people(1, 3))
        if self.schemaless:
            pytest.skip("knows no columns")
        spec = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.UPSERT, cursor="changed", key=("id",))
        with pytest.raises(BadInput, match="changed"):
            self.read(spec)

    def test_a_reader_that_is_closed_early_lets_go(self) -> None:
        self.fill(people(1, MANY))
        with self.opened() as source:
            reading = source.read(self.full(), None)
            next(reading)
            reading.close()  # type: ignore[attr-defined]
            assert ids(list(source.read(self.full(), None)))[:1] == [1]


def rows_of(batches: Sequence[Batch]) -> list[Row]:
    return [row for batch in batches for row in batch.rows]


def ids(batches: Sequence[Batch]) -> list[int]:
    return [row["id"] for row in rows_of(batches)]


def first_rows(batches: Sequence[Batch]) -> list[int]:
    numbers, next_row = [], 1
    for batch in batches:
        numbers.append(next_row)
        next_row += batch.count
    return numbers


def stored(checkpoint: Any) -> Any:
    """The checkpoint as it comes back from MongoDB, and then from JSON."""
    returned = bson.decode(bson.encode({"value": checkpoint}))["value"]
    assert returned == checkpoint
    return json.loads(json.dumps(returned))


def raised(error: type[SyncworkerError], secret: str, call: Any) -> str:
    """The message of `error` that `call` raises, proved not to hold the secret."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert secret not in message
    return message
