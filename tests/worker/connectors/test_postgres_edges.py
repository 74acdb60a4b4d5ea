"""PostgreSQL where it is not ordinary: existing tables, rights, names, errors."""

from __future__ import annotations

import sys

import psycopg
import pytest

from tests.contracts.destination import COLUMNS, TEXT, fence, row, rows
from tests.contracts.source import raised
from tests.worker.connectors.postgres_ends import copy, destination, execute, put, source
from worker import connectors
from worker.batch import Batch
from worker.connectors.protocol import Target
from worker.errors import (
    BadInput,
    BadValue,
    DestinationUnavailable,
    LostClaim,
    SourceUnavailable,
    StreamNotFound,
)
from worker.job import StreamSpec, Write
from worker.sync.types import Column


@pytest.fixture
def url(postgres_database: str) -> str:
    return postgres_database


def test_replace_keeps_what_hangs_on_the_table(url: str) -> None:
    put(destination(url), Write.REPLACE, rows(1, 3))
    execute(
        url,
        "CREATE INDEX by_name ON people (name); CREATE VIEW names AS SELECT name FROM people;"
        "COMMENT ON TABLE people IS 'dear'; CREATE ROLE reader_of_people; GRANT SELECT ON people TO reader_of_people",
    )
    before = execute(url, "SELECT oid, relacl::text, obj_description(oid) FROM pg_class WHERE relname = 'people'")
    try:
        put(destination(url), Write.REPLACE, rows(4, 5), sequence=2)
        assert execute(url, "SELECT name FROM names ORDER BY 1") == [("n4",), ("n5",)]
        assert (
            execute(url, "SELECT oid, relacl::text, obj_description(oid) FROM pg_class WHERE relname = 'people'")
            == before
        )
        assert execute(url, "SELECT count(*) FROM pg_indexes WHERE indexname = 'by_name'") == [(1,)]
    finally:
        execute(url, "DROP OWNED BY reader_of_people; DROP ROLE reader_of_people")


def test_readers_never_wait_for_replace_and_never_see_a_mixture(url: str) -> None:
    put(destination(url), Write.REPLACE, rows(1, 3))
    with psycopg.connect(url) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert reader.execute("SELECT count(*) FROM people").fetchone() == (3,)
        put(destination(url), Write.REPLACE, rows(10, 14), sequence=2)
        assert reader.execute("SELECT count(*) FROM people").fetchone() == (3,)
        reader.rollback()
        assert reader.execute("SELECT count(*) FROM people").fetchone() == (5,)


def test_a_row_that_the_table_refuses_is_named(url: str) -> None:
    execute(url, "CREATE TABLE people (id int PRIMARY KEY, name text CHECK (name <> 'n2'))")
    with pytest.raises(BadValue, match="people_name_check"):
        put(destination(url), Write.UPSERT, rows(1, 3))


def test_a_table_without_the_key_index_gets_one(url: str) -> None:
    execute(url, "CREATE TABLE people (id int, name text); INSERT INTO people VALUES (1, 'old')")
    put(destination(url), Write.UPSERT, rows(1, 2))
    assert execute(url, "SELECT * FROM people ORDER BY 1") == [(1, "n1"), (2, "n2")]


def test_an_existing_table_whose_key_is_not_unique_is_refused(url: str) -> None:
    execute(url, "CREATE TABLE people (id int, name text); INSERT INTO people VALUES (1, 'a'), (1, 'b')")
    with pytest.raises(BadInput, match="not unique"):
        put(destination(url), Write.UPSERT, rows(1, 2))


def test_a_view_is_no_target(url: str) -> None:
    execute(url, "CREATE VIEW people AS SELECT 1 AS id, 'x' AS name")
    with pytest.raises(BadInput, match="view"):
        put(destination(url), Write.REPLACE, rows(1, 1))


def test_names_that_are_too_long_are_refused_before_anything_is_written(url: str) -> None:
    long = Column(name="ö" * 32, type=TEXT)
    with pytest.raises(BadInput, match="rename"):
        put(destination(url), Write.APPEND, [row(1)], (*COLUMNS, long))
    with pytest.raises(BadInput, match="target"):
        put(destination(url), Write.APPEND, [row(1)], name="x" * 64)
    assert (
        execute(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sync%'")
        == []
    )


def test_other_schemas_are_read_and_written_by_their_names(url: str) -> None:
    execute(url, "CREATE SCHEMA far; CREATE TABLE far.people (id int PRIMARY KEY); INSERT INTO far.people VALUES (1)")
    execute(url, "CREATE SCHEMA near")
    with source(url) as one:
        assert [stream.name for stream in one.streams()] == ["far.people"]
        copy(one, destination(url), StreamSpec(name="far.people", target="near.people"))
    assert execute(url, "SELECT * FROM near.people") == [(1,)]
    assert next(stream.name for stream in source(url, schema="far").streams()) == "people"


def test_a_partitioned_table_is_one_stream(url: str) -> None:
    execute(
        url,
        "CREATE TABLE people (id int PRIMARY KEY) PARTITION BY RANGE (id);"
        "CREATE TABLE people_1 PARTITION OF people FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE people_2 PARTITION OF people FOR VALUES FROM (10) TO (20);"
        "INSERT INTO people SELECT generate_series(0, 19)",
    )
    assert [stream.name for stream in source(url).streams()] == ["people"]
    assert sum(batch.count for batch in source(url).read(StreamSpec(name="people"), None)) == 20


def test_an_error_tells_the_host_and_not_the_password(url: str, free_port: int) -> None:
    wrong = f"postgresql://me:s3cret@127.0.0.1:{free_port}/none"
    for one, error in ((source(wrong), SourceUnavailable), (destination(wrong), DestinationUnavailable)):
        assert f"127.0.0.1:{free_port}" in raised(error, "s3cret", one.check)
    missing = url.rsplit("/", 1)[0] + "/nowhere"
    assert "nowhere" in raised(BadInput, "s3cret", source(missing).check)
    assert raised(BadInput, "s3cret", lambda: connectors.settings_of("postgres", {"url": "s3cret"}))
    odd = "postgresql://me:s3cret%zz@127.0.0.1/x"
    assert raised(BadInput, "s3cret", source(odd).check)


def test_a_schema_that_is_not_there_is_named(url: str) -> None:
    for one in (source(url, schema="nowhere"), destination(url, schema="nowhere")):
        with pytest.raises(BadInput, match="nowhere"):
            one.check()


def test_a_user_who_may_not_read_is_told_so(url: str) -> None:
    execute(url, "CREATE TABLE people (id int); CREATE ROLE nobody_here LOGIN")
    execute(url, "REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO nobody_here")
    try:
        lesser = url.replace("postgres@", "nobody_here@")
        with pytest.raises(BadInput, match="permission denied"):
            list(source(lesser).read(StreamSpec(name="people"), None))
        with pytest.raises(BadInput, match="GRANT"):
            destination(lesser).check()
    finally:
        execute(url, "DROP OWNED BY nobody_here; DROP ROLE nobody_here")


def test_a_stream_named_like_sql_is_no_sql(url: str) -> None:
    with pytest.raises(StreamNotFound):
        source(url).describe(StreamSpec(name='people"; DROP TABLE x; --'))


def test_a_broken_connection_is_worth_another_try(url: str) -> None:
    writer = destination(url).open(Target(name="people", write=Write.APPEND, columns=COLUMNS, key=(), fence=fence()))
    execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'syncworker%'")
    with pytest.raises(DestinationUnavailable):
        writer.write(Batch(stream="people", rows=rows(1, 1), bytes=1, checkpoint={}), COLUMNS)
    writer.close()


def test_an_older_run_cannot_even_open(url: str) -> None:
    put(destination(url), Write.REPLACE, rows(1, 1), sequence=5)
    with pytest.raises(LostClaim):
        put(destination(url), Write.REPLACE, rows(2, 2), sequence=4)


def test_the_connector_is_listed_where_psycopg_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("psycopg", "worker.connectors.postgres"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "url" in connectors.connector("postgres").settings.model_json_schema()["properties"]
    with pytest.raises(Exception, match=r"pip install 'syncworker\[postgres\]'"):
        connectors.open_end("postgres", {"url": "postgresql://x"}, "source")


def test_replace_that_would_reach_into_other_tables_is_refused(url: str) -> None:
    put(destination(url), Write.REPLACE, rows(1, 2))
    execute(url, "CREATE TABLE pets (owner bigint REFERENCES people ON DELETE CASCADE); INSERT INTO pets VALUES (1)")
    with pytest.raises(BadInput, match="pets"):
        put(destination(url), Write.REPLACE, rows(1, 2), sequence=2)
    assert execute(url, "SELECT count(*) FROM pets") == [(1,)]


def test_a_table_that_may_not_be_read_is_no_stream(url: str) -> None:
    execute(url, "CREATE TABLE hidden (id int); CREATE TABLE people (id int); CREATE ROLE half_blind LOGIN")
    execute(url, "GRANT SELECT ON people TO half_blind")
    try:
        found = source(url.replace("postgres@", "half_blind@")).streams()
        assert [stream.name for stream in found] == ["people"]
    finally:
        execute(url, "DROP OWNED BY half_blind; DROP ROLE half_blind")


def test_a_writer_that_froze_in_the_middle_of_a_batch_blocks_nobody(url: str) -> None:
    target = Target(name="people", write=Write.UPSERT, columns=COLUMNS, key=("id",), fence=fence(1, 1))
    frozen = destination(url).open(target)
    frozen.write(Batch(stream="people", rows=rows(1, 1), bytes=1, checkpoint={}), COLUMNS)
    with pytest.raises(LostClaim), frozen.transaction():
        frozen.store(Batch(stream="people", rows=rows(2, 2), bytes=1, checkpoint={}))
        put(destination(url), Write.UPSERT, rows(2, 3), sequence=2)
        frozen.store(Batch(stream="people", rows=rows(4, 4), bytes=1, checkpoint={}))
    frozen.close()
    assert execute(url, "SELECT id FROM people ORDER BY 1") == [(1,), (2,), (3,)]
