"""A PostgreSQL table of every type goes to each destination and comes back: equal, or as the documented text."""

from __future__ import annotations

import filecmp
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.contracts.destination import fence
from tests.worker.connectors.test_broken_off import Keeper
from worker.connectors import open_end
from worker.job import Guards, StreamSpec, Write
from worker.sync.move import Ends, Reporter, StreamRun, move
from worker.sync.progress import StreamProgress

TABLE = r"""
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE every (
    id bigint PRIMARY KEY, i2 smallint, i4 integer, i8 bigint, n numeric, n2 numeric(12,2), f4 real,
    f8 double precision, t text, empty text, vc varchar(10), by bytea, yes boolean, no boolean, d date, ti time,
    ts timestamp, tz timestamptz, u uuid, j jsonb, ints integer[], texts text[], m mood, ip inet, mo money,
    bits bit(3), iv interval
);
INSERT INTO every VALUES (
    1, -32768, 2147483647, 9223372036854775807, 12345678901234567890.123456789, -0.10, 0.1, 0.1,
    E'a"b,c\n\\ é😀', '', 'x', '\x00ff', true, false, '2024-02-29', '23:59:59.999', '2024-01-01 10:00:00.123',
    '2024-01-01 10:00:00.123+02', '6f9619ff-8b86-4011-b42d-00cf4fc964ff',
    '{"a": [1, null, "x", 12345678901234567890, 0.12345678901234567890123], "b": {}}',
    '{1,2,NULL}', '{"a,b","null",NULL,""}', 'ok', '10.0.0.1/8', 12.34, '101', '1 year 2 mons 04:05:06.7'
);
INSERT INTO every (id) VALUES (2);
"""
# Columns that come back in another text, by where they were: the table of types says which text.
ANOTHER = {
    "postgres": {"iv"},
    "sqlite": {"iv"},
    "mongodb": {"f4", "d", "ts", "ints", "texts", "iv"},
    "files": {"j", "ints", "texts", "iv"},
    "jsonl": {"n2", "f4", "ts", "tz", "ints", "texts", "iv"},
}
# And those that come back as they were all the same, seen by their values.
SAME_VALUE = {
    "mongodb": {"d": "2024-02-29", "ts": "2024-01-01 10:00:00.123+00"},
    "jsonl": {"n2": "-0.1", "tz": "2024-01-01T08:00:00.123Z"},
}


@pytest.fixture
def shop(postgres_database: str) -> str:
    with psycopg.connect(postgres_database) as connection:
        connection.execute(TABLE)
    return postgres_database


def ends(kind: str, folder: Path, shop: str, mongo: tuple[str, str]) -> tuple[str, dict[str, Any]]:
    return {
        "postgres": ("postgres", {"url": shop}),
        "sqlite": ("sqlite", {"path": str(folder / "x.db")}),
        "mongodb": ("mongodb", {"url": mongo[0], "database": mongo[1]}),
        "files": ("files", {"path": str(folder)}),
        "jsonl": ("files", {"path": str(folder), "format": "jsonl.gz"}),
    }[kind]


def copy(source: tuple[str, dict[str, Any]], destination: tuple[str, dict[str, Any]], name: str, **more: Any) -> None:
    spec = StreamSpec(name=name, write=Write.REPLACE, key=("id",), **more)
    part = StreamRun(spec=spec, fence=fence(), generations=frozenset({1}), guards=Guards())
    reporter = Reporter(check=lambda: None, tell=lambda level, message: None)
    with open_end(*source, "source") as one, open_end(*destination, "destination") as other:
        move(part, Ends(source=one, destination=other), Keeper(), StreamProgress(), reporter)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", list(ANOTHER))
def test_every_type_comes_back(kind: str, shop: str, tmp_path: Path, mongo_url: str, mongo_database: str) -> None:
    there = ends(kind, tmp_path, shop, (mongo_url, mongo_database))
    copy(("postgres", {"url": shop}), there, "every", target="there")
    copy(there, ("postgres", {"url": shop}), "there", target="back", exclude=("_id",) if kind == "mongodb" else ())
    with psycopg.connect(shop) as connection:
        found = connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'every'::regclass AND attnum > 0")
        names = [name for (name,) in found.fetchall()]
        assert connection.execute("SELECT count(*) FROM back").fetchone() == (2,)
        another = {
            name: row[0] for name in names if (row := connection.execute(_compared(name)).fetchone()) is not None
        }
    assert set(another) == ANOTHER[kind]
    for name, text in SAME_VALUE.get(kind, {}).items():
        assert str(another[name]).startswith(text)


def _compared(name: str) -> str:
    """The text of a column that came back another one; SQL of the test's own names."""
    return f"""
        SELECT b.{name}::text FROM every a JOIN back b USING (id)
        WHERE a.{name}::text IS DISTINCT FROM b.{name}::text
    """


def test_a_csv_file_comes_back_byte_for_byte(shop: str, tmp_path: Path) -> None:
    (tmp_path / "here.csv").write_text(
        "id,code,name,note,x,price,ok,day,changed\n"
        '1,007,"a, ""b""",,0.1,12.50,true,2024-02-29,2024-01-01T00:00:00.120Z\n'
        '2,123,é,"",1e-05,0.05,false,,2024-01-01T00:00:00Z\n'
    )
    folder = ("files", {"path": str(tmp_path)})
    copy(folder, ("postgres", {"url": shop}), "here", target="there")
    copy(("postgres", {"url": shop}), folder, "there", target="again")
    assert filecmp.cmp(tmp_path / "here.csv", tmp_path / "again.csv", shallow=False)
