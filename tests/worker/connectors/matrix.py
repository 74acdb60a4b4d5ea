"""Every type of every connector, sent to every other and back: measured on real servers, for `docs/types.md`.

`python -m tests.worker.connectors.matrix` measures all and writes the page's tables anew; read what changed before you
commit it. A test measures them again.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bson
import psycopg
import pymongo
from bson import json_util

from tests import servers
from tests.contracts.destination import fence
from tests.worker.connectors.examples import EXAMPLES
from tests.worker.connectors.test_broken_off import Keeper
from worker.connectors import open_end
from worker.connectors.bson_values import CODEC, far_text
from worker.errors import BadData, BadInput, BadValue
from worker.job import Guards, StreamSpec, Write
from worker.sync import type_page
from worker.sync.move import Ends, Reporter, StreamRun, move
from worker.sync.progress import StreamProgress

KINDS = ("postgres", "sqlite", "mongodb", "csv", "jsonl")
TITLES = {"postgres": "PostgreSQL", "sqlite": "SQLite", "mongodb": "MongoDB", "csv": "CSV", "jsonl": "JSONL"}
REFUSED, SAME, TOLD, EMPTY = "refused", "↔", "told", "(empty)"
_LONGEST = 60


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one value became: its type there (none in files) and its text."""

    type: str
    text: str
    told: bool = False

    @property
    def shown(self) -> str:
        text = self.text if len(self.text) <= _LONGEST else f"{self.text[:_LONGEST]}…"
        return code(f"{self.type} {text or EMPTY}" if self.type else text) + (f" {TOLD}" if self.told else "")


def code(text: str) -> str:
    """As Markdown shows it in a table; what is no letter is spelled, and nothing is named."""
    if not text:
        return "nothing"
    spelled = "".join(one if one.isprintable() and one != "`" else repr(one)[1:-1] for one in text)
    return f"`{spelled}`".replace("|", "\\|")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A database or folder of one kind, to be written natively and looked into natively."""

    kind: str
    settings: dict[str, str]

    @property
    def connector(self) -> str:
        return "files" if self.kind in ("csv", "jsonl") else self.kind

    def fill(self, examples: Mapping[str, tuple[str, Any]]) -> None:
        """Make the stream `every`: a row of these columns, id first."""
        _FILL[self.kind](self.settings, examples)

    def alike(self) -> None:
        """Make the table `back`, of the types of `every`, where tables have types."""
        if self.kind == "postgres":
            with psycopg.connect(self.settings["url"]) as connection:
                connection.execute("CREATE TABLE back (LIKE every INCLUDING INDEXES)")
        elif self.kind == "sqlite":
            with closing(sqlite3.connect(self.settings["path"])) as database, database:
                database.execute(_SCHEMA.sub("CREATE TABLE back", _schema(database)))

    def look(self, name: str) -> dict[str, Cell]:
        """Every column's cell, by other means than the connector's."""
        return _LOOK[self.kind](self.settings, name)


_SCHEMA = re.compile("^CREATE TABLE every")


def _schema(database: sqlite3.Connection) -> str:
    return str(database.execute("SELECT sql FROM sqlite_schema WHERE name = 'every'").fetchone()[0])


def _fill_postgres(settings: dict[str, str], examples: Mapping[str, tuple[str, Any]]) -> None:
    typed = ", ".join(f"{name} {type_}" for name, (type_, _) in examples.items())
    values = ", ".join(str(value) for _, value in examples.values())
    with psycopg.connect(settings["url"]) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        connection.execute(f"CREATE TABLE every (id bigint PRIMARY KEY, {typed})")
        connection.execute(f"INSERT INTO every VALUES (1, {values})")


def _look_postgres(settings: dict[str, str], name: str) -> dict[str, Cell]:
    with psycopg.connect(settings["url"]) as connection:
        connection.execute("SET timezone TO 'UTC'")
        connection.execute("SET intervalstyle TO 'iso_8601'")
        found = connection.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            (name,),
        ).fetchall()
        listed = ", ".join(f"{column}::text" for column, _ in found)
        row = connection.execute(f"SELECT {listed} FROM {name}").fetchone()
    assert row is not None
    return {
        column: Cell(type=_SHORTER.get(str(type_), str(type_)), text="null" if text is None else text)
        for (column, type_), text in zip(found, row, strict=True)
    }


_SHORTER = {
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "timestamp(0) without time zone": "timestamp(0)",
}


def _fill_sqlite(settings: dict[str, str], examples: Mapping[str, tuple[str, Any]]) -> None:
    typed = ", ".join(f"{name} {type_}" for name, (type_, _) in examples.items())
    values = ", ".join(str(value) for _, value in examples.values())
    with closing(sqlite3.connect(settings["path"])) as database, database:
        database.execute(f"CREATE TABLE every (id INTEGER PRIMARY KEY, {typed})")
        database.execute(f"INSERT INTO every VALUES (1, {values})")


def _look_sqlite(settings: dict[str, str], name: str) -> dict[str, Cell]:
    with closing(sqlite3.connect(settings["path"])) as database:
        typed = database.execute("SELECT name, type FROM pragma_table_info(?)", (name,)).fetchall()
        row = database.execute(f"SELECT * FROM {name}").fetchone()
    return {column: Cell(type=type_, text=_in_sqlite(value)) for (column, type_), value in zip(typed, row, strict=True)}


def _in_sqlite(value: Any) -> str:
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return "null" if value is None else str(value)


def _fill_mongodb(settings: dict[str, str], examples: Mapping[str, tuple[str, Any]]) -> None:
    with pymongo.MongoClient[dict[str, Any]](settings["url"]) as client:
        document = {"_id": 1, "id": 1} | {name: value for name, (_, value) in examples.items()}
        raw = bson.encode(document, codec_options=CODEC)
        client[settings["database"]]["every"].insert_one(bson.raw_bson.RawBSONDocument(raw))


def _look_mongodb(settings: dict[str, str], name: str) -> dict[str, Cell]:
    """Decoded apart from the connector's own classes: a Date as milliseconds, a Decimal128 as itself."""
    with pymongo.MongoClient[dict[str, Any]](settings["url"]) as client:
        collection = client[settings["database"]].get_collection(name, codec_options=_AS_STORED)
        (document,) = collection.find()
        (types,) = collection.aggregate([{"$project": {one: {"$type": f"${one}"} for one in document}}])
    return {column: Cell(type=types[column], text=_in_mongodb(value)) for column, value in document.items()}


_AS_STORED = bson.CodecOptions[dict[str, Any]](
    datetime_conversion=bson.codec_options.DatetimeConversion.DATETIME_MS,
    uuid_representation=bson.UuidRepresentation.UNSPECIFIED,
)
_RELAXED = json_util.JSONOptions(
    json_mode=json_util.JSONMode.RELAXED,
    datetime_representation=json_util.DatetimeRepresentation.ISO8601,
    uuid_representation=bson.UuidRepresentation.STANDARD,
)


def _in_mongodb(value: Any) -> str:
    if isinstance(value, bson.datetime_ms.DatetimeMS):
        return far_text(value).replace(" ", "T", 1).replace("+00", "Z")
    if isinstance(value, (bytes, bson.Binary)):
        return f"subtype {getattr(value, 'subtype', 0)} {value.hex()}"
    if isinstance(value, (str, bson.Decimal128, bson.ObjectId)) and not isinstance(value, bson.Code):
        return str(value)
    return json_util.dumps(value, json_options=_RELAXED, separators=(",", ":"), ensure_ascii=False)


def _fill_csv(settings: dict[str, str], examples: Mapping[str, tuple[str, Any]]) -> None:
    lines = [",".join(["id", *examples]), ",".join(["1", *(text for _, text in examples.values())])]
    Path(settings["path"], "every.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def _look_csv(settings: dict[str, str], name: str) -> dict[str, Cell]:
    """The fields as they stand between the commas, quotes and all."""
    written = Path(settings["path"], f"{name}.csv").read_bytes().decode()
    header, _, rest = written.partition("\n")
    fields = re.findall(r'("(?:[^"]|"")*"|[^,\n]*)(?:,|\n\Z)', rest)
    return {column: Cell(type="", text=text) for column, text in zip(header.split(","), fields, strict=True)}


def _fill_jsonl(settings: dict[str, str], examples: Mapping[str, tuple[str, Any]]) -> None:
    fields = ",".join(f'"{name}":{text}' for name, (_, text) in examples.items())
    Path(settings["path"], "every.jsonl").write_text(f'{{"id":1,{fields}}}\n', encoding="utf-8")


def _look_jsonl(settings: dict[str, str], name: str) -> dict[str, Cell]:
    """The values as they stand in the line."""
    line = Path(settings["path"], f"{name}.jsonl").read_text(encoding="utf-8")
    found = {}
    for column in json.loads(line):
        start = line.index(f'"{column}":') + len(column) + 3
        _, end = json.JSONDecoder().raw_decode(line, start)
        found[column] = Cell(type="", text=line[start:end])
    return found


_FILL = {
    "postgres": _fill_postgres,
    "sqlite": _fill_sqlite,
    "mongodb": _fill_mongodb,
    "csv": _fill_csv,
    "jsonl": _fill_jsonl,
}
_LOOK = {
    "postgres": _look_postgres,
    "sqlite": _look_sqlite,
    "mongodb": _look_mongodb,
    "csv": _look_csv,
    "jsonl": _look_jsonl,
}


@dataclass
class Moved:
    """A stream moved as far as its values can be: the columns that were refused, with the reason, and those told."""

    refused: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


def moved(one: Place, other: Place, name: str, target: str) -> Moved:
    """Replace `target` by `name`; a column that is refused is left out, and the rest sent again."""
    outcome = Moved()
    own = ("_id",) if one.kind == "mongodb" else ()
    lines: list[str] = []
    for sequence in range(1, 100):
        lines.clear()
        spec = StreamSpec(
            name=name,
            write=Write.REPLACE,
            key=("id",),
            target=target,
            exclude=(*own, *outcome.refused),
            options={"format": other.kind} if other.connector == "files" and one.connector != "files" else {},
        )
        part = StreamRun(
            spec=spec,
            fence=fence(sequence),
            generations=frozenset({sequence}),
            guards=Guards(max_delete=None, max_shrink=None),
        )
        reporter = Reporter(check=lambda: None, tell=lambda level, line: lines.append(line))
        keeper: Any = Keeper()
        try:
            with (
                open_end(one.connector, one.settings, "source") as source,
                open_end(other.connector, other.settings, "destination") as destination,
            ):
                ends = Ends(source=source, destination=destination)  # type: ignore[arg-type]
                move(part, ends, keeper, StreamProgress(), reporter)
        except (BadValue, BadData, BadInput) as error:
            column = re.search(r"\bc\d+\b", getattr(error, "column", None) or str(error))
            if column is None or column[0] in outcome.refused:
                raise
            outcome.refused[column[0]] = str(error)
        else:
            break
    outcome.told = {found[0] for line in lines if (found := re.match(r"c\d+(?=: )", line))}
    return outcome


def measured(one: Place, other: Place) -> dict[str, str]:
    """What every column of `one`'s stream `every` is at `other`, as the page shows it; filled already."""
    away = moved(one, other, "every", "there")
    there = other.look("there")
    one.alike()
    back = moved(other, one, "there", "back")
    before, after = one.look("every"), one.look("back")
    cells = {}
    for name in before:
        if name in away.refused:
            cells[name] = REFUSED
        elif re.fullmatch(r"c\d+", name):
            cell = Cell(type=there[name].type, text=there[name].text, told=name in away.told)
            same = name not in back.refused and name in after and _alike(one.kind, before[name], after[name])
            cells[name] = f"{cell.shown} {SAME}" if same else cell.shown
    return cells


def _alike(kind: str, before: Cell, after: Cell) -> bool:
    """Whether a value came back: the same type and text; in JSON the same value, however it is spelled."""
    if kind == "jsonl":
        a, b = (json.loads(cell.text, parse_float=Decimal) for cell in (before, after))
        return bool(a == b) and before.text.startswith("-") is after.text.startswith("-")
    return before == after


def examples_of(kind: str) -> dict[str, tuple[str, Any]]:
    """The examples as columns c1, c2, …: their type and value, spelled as `fill` wants them."""
    return {f"c{number}": (type_, value) for number, (type_, value) in enumerate(EXAMPLES[kind], start=1)}


def table(kind: str, cells: Mapping[str, Mapping[str, str]]) -> str:
    """The Markdown table of what one source's values become; `cells` by destination and column."""
    lines = [f"| {TITLES[kind]} | value | {' | '.join(TITLES[other] for other in KINDS)} |", "|---" * 7 + "|"]
    for name, (type_, value) in examples_of(kind).items():
        shown = _in_mongodb(stored(value)) if kind == "mongodb" else str(value)
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
        lines.append(f"| {code(type_)} | {code(shown)} | {' | '.join(cells[other][name] for other in KINDS)} |")
    return "\n".join(lines) + "\n"


def stored(value: Any) -> Any:
    """A value as a document holds it."""
    return bson.decode(bson.encode({"v": value}, codec_options=CODEC), _AS_STORED)["v"]


def main() -> None:
    """Measure all and write the page."""
    with servers.running_mongod() as mongod, servers.running_postgres() as postgres, TemporaryDirectory() as folder:
        tables = []
        for one in KINDS:
            cells = {}
            for other in KINDS:
                with places(postgres.url, mongod.url, Path(folder, f"{one}-{other}")) as place:
                    place["one", one].fill(examples_of(one))
                    cells[other] = measured(place["one", one], place["other", other])
            tables.append(table(one, cells))
    type_page.PAGE.write_text(type_page.page("\n".join(tables)), encoding="utf-8")


@contextmanager
def places(postgres_url: str, mongo_url: str, folder: Path) -> Iterator[dict[tuple[str, str], Place]]:
    """Two new places of every kind, `one` and `other`, gone afterwards."""
    made = {}
    name = re.sub(r"[^a-z]", "_", folder.name)
    with (
        psycopg.connect(postgres_url, autocommit=True) as connection,
        pymongo.MongoClient[dict[str, Any]](mongo_url) as client,
    ):
        for side in ("one", "other"):
            database = f"matrix_{name}_{side}"
            connection.execute(f"CREATE DATABASE {database}")
            made[side, "postgres"] = Place(kind="postgres", settings={"url": _at(postgres_url, database)})
            made[side, "mongodb"] = Place(kind="mongodb", settings={"url": mongo_url, "database": database})
            (folder / side).mkdir(parents=True)
            made[side, "sqlite"] = Place(kind="sqlite", settings={"path": str(folder / side / "x.db")})
            for kind in ("csv", "jsonl"):
                made[side, kind] = Place(kind=kind, settings={"path": str(folder / side), "format": kind})
        yield made
        for side in ("one", "other"):
            connection.execute(f"DROP DATABASE matrix_{name}_{side} WITH (FORCE)")
            client.drop_database(f"matrix_{name}_{side}")


def _at(url: str, database: str) -> str:
    return re.sub(r"/[^/?]*(?=\?|$)", f"/{database}", url)


if __name__ == "__main__":
    main()
