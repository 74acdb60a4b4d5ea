"""What every destination must do, whatever it writes to. A connector's test class inherits these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from worker.batch import Batch, Row
from worker.connectors.protocol import Destination, Fence, Target, Writer
from worker.errors import BadValue, LostClaim
from worker.job import Write
from worker.sync.types import Column, Kind, Type

INTEGER = Type(kind=Kind.INTEGER, bits=64)
TEXT = Type(kind=Kind.TEXT)
NOTHING = Type(kind=Kind.NULL)
ID = Column(name="id", type=INTEGER, nullable=False)
NAME = Column(name="name", type=TEXT)
COLUMNS = (ID, NAME)


def row(number: int, name: str | None = None) -> Row:
    return {"id": number, "name": name or f"n{number}"}


def rows(first: int, last: int) -> list[Row]:
    return [row(number) for number in range(first, last + 1)]


def fence(sequence: int = 1, token: int = 1) -> Fence:
    return Fence(job="job", stream="people", sequence=sequence, token=token)


# One value of every kind that a destination might change on its way: (type, value).
EVERY: dict[str, tuple[Type, Any]] = {
    "small": (Type(kind=Kind.INTEGER, bits=16), -32768),
    "long": (INTEGER, 2**63 - 1),
    "decimal": (Type(kind=Kind.DECIMAL), Decimal("-12345678901234567890.1230")),
    "money": (Type(kind=Kind.DECIMAL, precision=10, scale=2), Decimal("0.10")),
    "float": (Type(kind=Kind.FLOAT, bits=64), 0.1),
    "text": (TEXT, "Ünïcødé 'quoted' \"twice\" \\ % \n\t😀"),
    "empty": (TEXT, ""),
    "bytes": (Type(kind=Kind.BYTES), b"\x00\xff\x80"),
    "yes": (Type(kind=Kind.BOOLEAN), True),
    "no": (Type(kind=Kind.BOOLEAN), False),
    "date": (Type(kind=Kind.DATE), date(2024, 2, 29)),
    "time": (Type(kind=Kind.TIME), time(23, 59, 59, 999999)),
    "stamp": (Type(kind=Kind.TIMESTAMP), datetime(2024, 1, 1, 0, 0, 0, 1000)),  # noqa: DTZ001
    "instant": (Type(kind=Kind.TIMESTAMPTZ), datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    "uuid": (Type(kind=Kind.UUID), UUID("6f9619ff-8b86-4011-b42d-00cf4fc964ff")),
    "document": (Type(kind=Kind.JSON), {"a": [1, 2.5, None, {"b": "c"}], "ü": 12345678901234567890}),
    "list": (Type(kind=Kind.JSON), []),
}


class DestinationContract:
    """`destination` opens it, `rows_in(name)` reads what a reader sees there now (None: no such place), by `id`."""

    def destination(self) -> Destination:
        raise NotImplementedError

    def rows_in(self, name: str) -> list[Row] | None:
        raise NotImplementedError

    def places(self) -> set[str]:
        """Everything that is there by name, also what readers do not look at."""
        raise NotImplementedError

    def expected(self, row: Row) -> Row:
        """The row as it is found in this destination; `rows_in` leaves out what the destination adds."""
        return row

    def writer(
        self,
        write: Write,
        *,
        sequence: int = 1,
        token: int = 1,
        columns: Sequence[Column] = COLUMNS,
        key: tuple[str, ...] = ("id",),
        name: str = "people",
    ) -> Writer:
        target = Target(name=name, write=write, columns=tuple(columns), key=key, fence=fence(sequence, token))
        return self.destination().open(target)

    def put(
        self, writer: Writer, batch: list[Row], checkpoint: Any = None, columns: Sequence[Column] = COLUMNS
    ) -> None:
        writer.write(Batch(stream="people", rows=batch, bytes=100, checkpoint=checkpoint), tuple(columns))

    def run(self, write: Write, batches: Sequence[list[Row]], **changes: Any) -> None:
        """One whole run."""
        writer = self.writer(write, **changes)
        for number, batch in enumerate(batches, start=1):
            self.put(writer, batch, {"n": number}, changes.get("columns", COLUMNS))
        writer.finish()
        writer.close()

    def seen(self, name: str = "people") -> list[Row]:
        found = self.rows_in(name)
        assert found is not None, f"there is no {name}"
        return found

    def test_the_check_passes_where_all_is_well(self) -> None:
        with self.destination() as destination:
            destination.check()

    def test_append_adds_to_what_is_there(self) -> None:
        self.run(Write.APPEND, [rows(1, 2)], sequence=1)
        self.run(Write.APPEND, [rows(3, 4)], sequence=2)
        assert self.seen() == rows(1, 4)

    def test_append_takes_a_row_again_that_changed(self) -> None:
        self.run(Write.APPEND, [rows(1, 2)], sequence=1)
        self.run(Write.APPEND, [[row(2, "new")]], sequence=2)
        assert [found["name"] for found in self.seen()] in (["n1", "n2", "new"], ["n1", "new", "n2"])

    def test_upsert_changes_rows_by_key_and_keeps_the_others(self) -> None:
        self.run(Write.UPSERT, [rows(1, 3)], sequence=1)
        self.run(Write.UPSERT, [[row(2, "new"), row(4)]], sequence=2)
        assert self.seen() == [row(1), row(2, "new"), row(3), row(4)]

    def test_of_one_key_twice_in_a_batch_the_last_wins(self) -> None:
        self.run(Write.UPSERT, [[row(1, "old"), row(2), row(1, "new")]])
        assert self.seen() == [row(1, "new"), row(2)]

    def test_the_same_batch_again_changes_nothing_with_upsert(self) -> None:
        self.run(Write.UPSERT, [rows(1, 3), rows(1, 3)])
        assert self.seen() == rows(1, 3)

    def test_upsert_needs_every_key(self) -> None:
        writer = self.writer(Write.UPSERT)
        with pytest.raises(BadValue, match="row 2") as caught:
            self.put(writer, [row(1), {"id": None, "name": "x"}])
        assert caught.value.column == "id"
        writer.close()

    def test_replace_shows_the_old_rows_until_it_is_finished(self) -> None:
        self.run(Write.REPLACE, [rows(1, 3)], sequence=1)
        writer = self.writer(Write.REPLACE, sequence=2)
        self.put(writer, rows(10, 11), {"n": 1})
        self.put(writer, rows(12, 14), {"n": 2})
        assert self.seen() == rows(1, 3)
        assert writer.staged() == (3, 5)
        writer.finish()
        writer.close()
        assert self.seen() == rows(10, 14)

    def test_replace_leaves_nothing_behind(self) -> None:
        self.run(Write.REPLACE, [rows(1, 3)], sequence=1)
        before = self.places()
        self.run(Write.REPLACE, [rows(4, 5)], sequence=2)
        assert self.places() == before

    def test_replace_by_nothing_leaves_an_empty_place(self) -> None:
        self.run(Write.REPLACE, [], sequence=1)
        assert self.seen() == []
        self.run(Write.REPLACE, [rows(1, 2)], sequence=2)
        self.run(Write.REPLACE, [], sequence=3)
        assert self.seen() == []

    def test_replace_by_nothing_of_a_source_without_columns_empties_the_place(self) -> None:
        self.run(Write.REPLACE, [rows(1, 2)], sequence=1)
        self.run(Write.REPLACE, [], sequence=2, columns=())
        assert self.seen() == []

    def test_columns_that_come_with_the_rows_are_kept(self) -> None:
        writer = self.writer(Write.REPLACE, columns=())
        self.put(writer, [row(1) | {"age": None}], {"n": 1}, (*COLUMNS, Column(name="age", type=NOTHING)))
        self.put(writer, [row(2) | {"age": 7}], {"n": 2}, (*COLUMNS, Column(name="age", type=INTEGER)))
        writer.finish()
        writer.close()
        assert self.seen() == [row(1) | {"age": None}, row(2) | {"age": 7}]

    def test_append_of_nothing_makes_the_place(self) -> None:
        self.run(Write.APPEND, [])
        assert self.seen() == []

    def test_abort_keeps_the_old_rows_and_nothing_else(self) -> None:
        self.run(Write.REPLACE, [rows(1, 3)], sequence=1)
        before = self.places()
        writer = self.writer(Write.REPLACE, sequence=2)
        self.put(writer, rows(10, 11), {"n": 1})
        writer.abort()
        writer.close()
        assert self.seen() == rows(1, 3)
        assert self.places() == before

    def test_a_later_run_drops_what_a_dead_one_staged(self) -> None:
        self.run(Write.REPLACE, [rows(1, 3)], sequence=1)
        before = self.places()
        dead = self.writer(Write.REPLACE, sequence=2)
        self.put(dead, rows(10, 11), {"n": 1})
        dead.close()
        self.run(Write.REPLACE, [rows(20, 21)], sequence=3)
        assert self.seen() == rows(20, 21)
        assert self.places() == before

    def test_a_value_that_cannot_be_held_is_named(self) -> None:
        self.run(Write.APPEND, [[row(1)]], sequence=1)
        bad = self.unholdable()
        if bad is None:
            pytest.skip("holds everything")
        writer = self.writer(Write.APPEND, sequence=2)
        with pytest.raises(BadValue, match="row 3") as caught:
            self.put(writer, [*rows(2, 3), row(4) | bad])
        writer.close()
        assert caught.value.column in bad
        assert self.seen() == rows(1, 1)

    def unholdable(self) -> Row | None:
        """A column of the stream with a value that this destination refuses."""
        return {"id": "not a number"}

    def test_a_new_column_arrives(self) -> None:
        self.run(Write.UPSERT, [rows(1, 1)], sequence=1)
        columns = (*COLUMNS, Column(name="age", type=INTEGER))
        self.run(Write.UPSERT, [[row(2) | {"age": 7}]], sequence=2, columns=columns)
        assert self.seen()[1] == row(2) | {"age": 7}

    def test_a_new_column_arrives_with_replace(self) -> None:
        self.run(Write.REPLACE, [rows(1, 1)], sequence=1)
        columns = (*COLUMNS, Column(name="age", type=INTEGER))
        self.run(Write.REPLACE, [[row(2) | {"age": 7}]], sequence=2, columns=columns)
        assert self.seen() == [row(2) | {"age": 7}]

    def test_names_of_any_spelling_are_kept(self) -> None:
        names = ('we"ird', "per%cent", "two words", "ünï", "select", "Mixed")
        columns = (ID, *(Column(name=name, type=TEXT) for name in names))
        one = {"id": 1} | {name: name for name in names}
        for number, write in enumerate((Write.REPLACE, Write.UPSERT, Write.APPEND), start=1):
            place = f'odd "{write}" 100% näme'
            self.run(write, [[one]], sequence=number, columns=columns, name=place)
            assert self.seen(place) == [one]

    def test_every_kind_of_value_is_kept(self) -> None:
        columns = (ID, *(Column(name=name, type=type_) for name, (type_, _) in EVERY.items()))
        full = {"id": 1} | {name: value for name, (_, value) in EVERY.items()}
        nothing = {"id": 2} | dict.fromkeys(EVERY)
        for number, write in enumerate((Write.REPLACE, Write.UPSERT, Write.APPEND), start=1):
            self.run(write, [[full, nothing]], sequence=number, columns=columns, name=str(write))
            assert self.seen(str(write)) == [self.expected(full), self.expected(nothing)]


class FencedContract(DestinationContract):
    """For destinations that keep fence and checkpoint in one transaction with the rows."""

    def test_the_position_is_that_of_the_last_batch(self) -> None:
        writer = self.writer(Write.APPEND, sequence=3, token=7)
        assert writer.position() is None
        self.put(writer, rows(1, 2), {"n": 1})
        self.put(writer, rows(3, 4), {"n": 2})
        writer.close()
        position = self.writer(Write.APPEND, sequence=3, token=8).position()
        assert position is not None
        assert (position.sequence, position.token, position.checkpoint) == (3, 7, {"n": 2})

    def test_a_finished_append_keeps_its_position(self) -> None:
        self.run(Write.APPEND, [rows(1, 2)], sequence=1)
        position = self.writer(Write.APPEND, sequence=2).position()
        assert position is not None
        assert position.checkpoint == {"n": 1}

    @pytest.mark.parametrize("write", list(Write))
    def test_an_older_writer_writes_nothing_more(self, write: Write) -> None:
        old = self.writer(write, sequence=1, token=1)
        self.put(old, rows(1, 1), {"n": 1})
        new = self.writer(write, sequence=1, token=2)
        self.put(new, rows(2, 2), {"n": 2})
        for call in self._writes(old):
            with pytest.raises(LostClaim):
                call()
        new.finish()
        new.close()
        old.close()
        assert self.seen() == rows(1, 2)

    def _writes(self, old: Writer) -> list[Callable[[], object]]:
        return [lambda: self.put(old, rows(9, 9), {"n": 9}), old.finish]

    def test_replace_goes_on_where_the_dead_attempt_was(self) -> None:
        self.run(Write.REPLACE, [rows(1, 3)], sequence=1)
        dead = self.writer(Write.REPLACE, sequence=2, token=1)
        self.put(dead, rows(10, 11), {"n": 1})
        dead.close()
        writer = self.writer(Write.REPLACE, sequence=2, token=2)
        position = writer.position()
        assert position is not None
        assert position.checkpoint == {"n": 1}
        self.put(writer, rows(12, 12), {"n": 2})
        assert writer.staged() == (3, 3)
        writer.finish()
        writer.close()
        assert self.seen() == rows(10, 12)

    def test_replace_from_a_source_that_cannot_resume_starts_anew(self) -> None:
        dead = self.writer(Write.REPLACE, sequence=2, token=1)
        self.put(dead, rows(10, 11), None)
        dead.close()
        writer = self.writer(Write.REPLACE, sequence=2, token=2)
        assert writer.position() is None
        self.put(writer, rows(10, 11), None)
        writer.finish()
        writer.close()
        assert self.seen() == rows(10, 11)

    def test_a_refused_batch_leaves_the_position_alone(self) -> None:
        writer = self.writer(Write.APPEND)
        self.put(writer, rows(1, 1), {"n": 1})
        bad = self.unholdable()
        if bad is None:
            pytest.skip("holds everything")
        with pytest.raises(BadValue):
            self.put(writer, [row(2) | bad], {"n": 2})
        writer.close()
        position = self.writer(Write.APPEND, token=2).position()
        assert position is not None
        assert position.checkpoint == {"n": 1}
        assert self.seen() == rows(1, 1)

    def test_an_append_that_cannot_resume_leaves_nothing_of_a_dead_attempt(self) -> None:
        self.run(Write.APPEND, [rows(1, 1)], sequence=1)
        dead = self.writer(Write.APPEND, sequence=2, token=1)
        self.put(dead, rows(2, 3), None)
        dead.close()
        assert self.seen() == rows(1, 1)
        again = self.writer(Write.APPEND, sequence=2, token=2)
        self.put(again, rows(2, 3), None)
        self.put(again, rows(4, 4), None)
        again.finish()
        again.close()
        assert self.seen() == rows(1, 4)

    def test_an_append_that_cannot_resume_is_not_done_twice(self) -> None:
        for token in (1, 2):  # the first attempt finished, and died before it could say so
            writer = self.writer(Write.APPEND, sequence=1, token=token)
            self.put(writer, rows(1, 2), None)
            writer.finish()
            writer.close()
        assert self.seen() == rows(1, 2)
