"""Fixtures that several rooms share: real servers, a store on them, and the program itself.

A missing server skips a test on a developer's machine and fails it where `CI` or `REQUIRE_SERVERS` is set.
`TEST_MONGO_URL` and `TEST_POSTGRES_URL` name servers to use in place of those started here.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymongo
import pytest
from psycopg import sql

from tests import servers
from tests.program import Program
from worker import redaction

if TYPE_CHECKING:
    from worker.store import Store


def missing(reason: object) -> NoReturn:
    """Skip here, fail where servers are required."""
    if os.environ.get("CI") or os.environ.get("REQUIRE_SERVERS"):
        pytest.fail(str(reason), pytrace=False)
    pytest.skip(str(reason))


@pytest.fixture(autouse=True)
def forget_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test calls a secret may be a plain word to the next."""
    monkeypatch.setattr(redaction, "_known", set(redaction._known))
    monkeypatch.setattr(redaction, "_spellings", redaction._spellings)


@pytest.fixture(scope="session")
def mongod() -> Iterator[servers.Server]:
    """A mongod of the session, a replica set of one. Do not stop it: `servers.running_mongod` makes one of your own."""
    try:
        servers.mongod_program()
    except servers.MissingServer as reason:
        missing(reason)
    with servers.running_mongod() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_url(request: pytest.FixtureRequest) -> str:
    """The session's MongoDB, without a database in its path."""
    if given := os.environ.get("TEST_MONGO_URL"):
        return given
    server: servers.Server = request.getfixturevalue("mongod")
    return server.url


@pytest.fixture
def own_database(mongo_url: str) -> Iterator[str]:
    """The name of a database of this test's own, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    yield name
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(name)


@pytest.fixture(scope="session")
def kept_database(mongo_url: str) -> Iterator[tuple[str, frozenset[str]]]:
    """A database of many tests, and its collections: to make the indexes anew for each takes a third of a second."""
    import worker.store

    name = f"test_kept_{uuid.uuid4().hex[:12]}"
    opened = worker.store.open(mongo_url, name)
    opened.ensure_indexes()
    opened.close()
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        yield name, frozenset(client[name].list_collection_names())
        client.drop_database(name)


@pytest.fixture
def mongo_database(request: pytest.FixtureRequest, mongo_url: str) -> Iterator[str]:
    """The name of a database: of this test's own, or one that is as good as new.

    A journey has its own, and so has what is marked `own_database`: a thread or process of theirs may outlive them.
    """
    if any(map(request.node.get_closest_marker, ("journey", "browser", "own_database"))):
        yield request.getfixturevalue("own_database")
        return
    name, ours = request.getfixturevalue("kept_database")
    yield name
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        for collection in client[name].list_collection_names():
            if collection in ours:
                client[name][collection].delete_many({})
            else:
                client[name].drop_collection(collection)


@pytest.fixture
def store(mongo_url: str, mongo_database: str) -> Iterator[Store]:
    """A store on this test's own database, its indexes made."""
    import worker.store

    opened = worker.store.open(mongo_url, mongo_database)
    opened.ensure_indexes()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The session's PostgreSQL, as superuser, on its database `postgres`."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    try:
        servers.postgres_programs()
    except servers.MissingServer as reason:
        missing(reason)
    with servers.running_postgres() as server:
        yield server.url


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a database of this test's own, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def free_port() -> int:
    """A loopback port that nothing listens on now."""
    return servers.free_port()


class StartProgram(Protocol):
    """`program("-m", "app", env={…})`; waits for `/readyz` unless `ready=False`; `folder`: start again in the same."""

    def __call__(
        self, *arguments: str, env: Mapping[str, str] | None = ..., ready: bool = ..., folder: Path | None = ...
    ) -> Program: ...


@pytest.fixture
def program(tmp_path: Path) -> Iterator[StartProgram]:
    """Start the real program, as often as you like: each start has its own folder, DATA_DIR and PORT.

    `env` is all the environment that it gets, besides PATH and its like. All are ended after the test.
    """
    started: list[Program] = []

    def start(
        *arguments: str, env: Mapping[str, str] | None = None, ready: bool = True, folder: Path | None = None
    ) -> Program:
        folder = folder or tmp_path / f"program-{len(started) + 1}"
        folder.mkdir(exist_ok=True)
        one = Program(*(arguments or ("-m", "app")), folder=folder, env=env or {})
        started.append(one)
        return one.wait_ready() if ready else one

    yield start
    for one in reversed(started):
        one.end()


@pytest.fixture
def environment(mongo_url: str, mongo_database: str) -> Callable[..., dict[str, str]]:
    """`environment(NAME="value")`: the variables that put a program on this test's own database."""
    return lambda **more: {"MONGO_URL": mongo_url, "MONGO_DATABASE": mongo_database, **more}
