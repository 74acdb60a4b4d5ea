"""What each kind of value is, in memory and at each destination: the table of which `docs/types.md` is made.

`python -m worker.sync.type_page` writes the page anew; a test compares it with the table and with the connectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from worker.sync.types import Kind


@dataclass(frozen=True, kw_only=True)
class TypeRow:
    """One line of the table: the value in memory, and what each destination makes of it."""

    value: str
    text: str
    postgres: str
    sqlite: str
    mongodb: str
    note: str = ""


TYPES: Mapping[Kind, TypeRow] = {
    Kind.NULL: TypeRow(
        value="None",
        text="nothing",
        postgres="`text`",
        sqlite="`TEXT`",
        mongodb="null",
        note="a column in which no value was seen yet",
    ),
    Kind.INTEGER: TypeRow(
        value="int, any size",
        text="`-42`",
        postgres="`smallint`, `integer`, `bigint`; `numeric` for any size",
        sqlite="`INTEGER`; `BIGNUM_TEXT` for any size",
        mongodb="int or long; Decimal128 up to 34 digits, then text, told",
    ),
    Kind.DECIMAL: TypeRow(
        value="decimal.Decimal",
        text="`12.50`, `NaN`, `Infinity`",
        postgres="`numeric` with the source's bounds",
        sqlite="`DECIMAL_TEXT`",
        mongodb="Decimal128 up to 34 digits, then text, told",
        note="an exponent is kept only where the number would have more than 40 zeros; PostgreSQL has no -0",
    ),
    Kind.FLOAT: TypeRow(
        value="float",
        text="the shortest that reads back the same: `0.1`, `1e-05`, `NaN`, `-Infinity`",
        postgres="`real` of 32 bits, `double precision`",
        sqlite="`FLOAT32` of 32 bits, `REAL`; NaN as the text `NaN`; -0.0 becomes 0.0, told",
        mongodb="double",
    ),
    Kind.TEXT: TypeRow(
        value="str",
        text="itself",
        postgres="`text` (a NUL character is refused)",
        sqlite="`TEXT`",
        mongodb="string",
    ),
    Kind.BYTES: TypeRow(
        value="bytes",
        text="`\\x0aff`",
        postgres="`bytea`",
        sqlite="`BLOB`",
        mongodb="binary, subtype 0",
        note="another subtype of MongoDB is kept in MongoDB and JSONL alone",
    ),
    Kind.BOOLEAN: TypeRow(
        value="bool",
        text="`true`, `false`",
        postgres="`boolean`",
        sqlite="`BOOLEAN`, 0 or 1",
        mongodb="bool",
    ),
    Kind.DATE: TypeRow(
        value="datetime.date",
        text="`2024-02-29`",
        postgres="`date`",
        sqlite="`DATE_TEXT`",
        mongodb="Date at midnight UTC",
        note="beyond the years 1 to 9999 the text that PostgreSQL uses: `infinity`, `0044-03-15 BC`; "
        "a Date of MongoDB where that reaches; kept as text and told where it does not",
    ),
    Kind.TIME: TypeRow(
        value="datetime.time",
        text="`23:59:59.5` as `23:59:59.500`",
        postgres="`time`",
        sqlite="`TIME_TEXT`",
        mongodb="text",
        note="`24:00:00` is text",
    ),
    Kind.TIMESTAMP: TypeRow(
        value="datetime.datetime without zone",
        text="`2024-02-29T12:00:00`, with 3 or 6 decimals where needed",
        postgres="`timestamp`",
        sqlite="`TIMESTAMP_TEXT`",
        mongodb="Date, read as UTC; microseconds cut to milliseconds, told; kept with `timestamps: text`",
        note="far years as for date; where a zone is asked for, it is UTC",
    ),
    Kind.TIMESTAMPTZ: TypeRow(
        value="datetime.datetime in UTC",
        text="`2024-02-29T12:00:00Z`",
        postgres="`timestamptz`",
        sqlite="`TIMESTAMPTZ_TEXT`",
        mongodb="Date, as above",
        note="the instant is kept, the zone's name is not",
    ),
    Kind.UUID: TypeRow(
        value="uuid.UUID",
        text="`6f9619ff-8b86-4011-b42d-00cf4fc964ff`",
        postgres="`uuid`",
        sqlite="`UUID_TEXT`",
        mongodb="binary, subtype 4",
    ),
    Kind.JSON: TypeRow(
        value="dict, list or scalar as from `json.loads`; JSON_NULL for a JSON null",
        text="JSON; numbers exact; NaN and infinities as texts",
        postgres="`jsonb`",
        sqlite="`JSON_TEXT`",
        mongodb="document, array or value",
        note="a fraction is a float where its shortest text is the same number, else a Decimal; "
        "the same key twice is refused",
    ),
    Kind.ARRAY: TypeRow(
        value="list of the item's values",
        text="JSON",
        postgres="an array of the item's type",
        sqlite="JSON in a type such as `DATE_ARRAY_TEXT`, `WHOLE_ARRAY_TEXT`",
        mongodb="array",
        note="lower bounds other than 1 are not kept",
    ),
}

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "types.md"

_HEAD = """\
# Types

Made from the table in `worker/sync/type_page.py` by `python -m worker.sync.type_page`; do not edit it here.

Every value that moves is of one of these kinds. A connector maps its own types to them and back. What a destination
cannot hold exactly fails the stream, with column, row and value, or is kept as text where this page says so; *told*
means that the run's log says it, once per column, with the count and an example. Nothing is rounded, cut or nulled
without a word.

## The table

| kind | value in memory | as text (CSV, JSONL and text columns) |
|---|---|---|
"""

_DESTINATIONS = """\

Columns that syncworker makes:

| kind | PostgreSQL | SQLite | MongoDB |
|---|---|---|---|
"""

_NOTES = """\

Notes:

"""

_TAIL = """\

## How types widen

A source without a schema (MongoDB, JSONL) gets the narrowest type that holds every value seen so far:

- Different kinds of number are `decimal`, a float taken by its shortest text, so that `0.1` is exactly 0.1.
- Integers of more bits, decimals of more digits and floats of 64 bits hold those of fewer.
- Any two other kinds that differ are `json`.
- `null` takes the type of whatever comes.

A value of another kind goes into a column that is there only where it fits exactly: `1.0` into an integer, the text
`1.50` into a decimal, a MongoDB Date at midnight UTC into a date, a JSON array or its text into an array whose items
fit. Text goes into JSON as a JSON string.

Types that a database has besides (intervals, ranges, network addresses, enumerations) travel as the text that the
database itself writes, and are read from it where a column of that type is there. BSON's own values (ObjectId, regular
expressions) go from MongoDB to MongoDB unchanged; elsewhere an ObjectId is its 24 digits, the others are canonical
Extended JSON.
"""


_CELLS = """\

## Every type to every other

Measured on real servers by `python -m tests.worker.connectors.matrix`; a test measures every cell again. A cell is the
type and the value that arrive in a new table, file or collection. `↔`: sent back from there into a table of the first
one's types, it is the value that it was. *told* and *refused* as above.

"""


def page(cells: str) -> str:
    """The whole page; `cells` are the tables of what was measured."""
    values = "".join(f"| `{kind}` | {one.value} | {one.text} |\n" for kind, one in TYPES.items())
    destinations = "".join(
        f"| `{kind}` | {one.postgres} | {one.sqlite} | {one.mongodb} |\n" for kind, one in TYPES.items()
    )
    notes = "".join(f"- `{kind}`: {one.note}.\n" for kind, one in TYPES.items() if one.note)
    return _HEAD + values + _DESTINATIONS + destinations + _NOTES + notes + _TAIL + _CELLS + cells


def cells() -> str:
    """The measured tables as the page has them now."""
    return PAGE.read_text(encoding="utf-8").partition(_CELLS)[2]


if __name__ == "__main__":
    PAGE.write_text(page(cells()), encoding="utf-8")
