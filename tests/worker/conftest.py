"""Fixtures for tests that run jobs for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.worker.real import FilesLake, Lake, MongodbLake, PostgresLake, SqliteLake, Works
from worker.store import Store


@pytest.fixture
def sqlite_lake(tmp_path: Path) -> SqliteLake:
    return SqliteLake(tmp_path / "lake.db")


@pytest.fixture
def postgres_lake(postgres_database: str) -> PostgresLake:
    return PostgresLake(postgres_database)


@pytest.fixture
def mongodb_lake(mongo_url: str, mongo_database: str) -> Iterator[MongodbLake]:
    yield MongodbLake(mongo_url, f"{mongo_database}_lake")
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(f"{mongo_database}_lake")


@pytest.fixture
def files_lake(tmp_path: Path) -> FilesLake:
    return FilesLake(tmp_path / "lake")


@pytest.fixture(params=["sqlite", "postgres", "mongodb", "files"])
def lake(request: pytest.FixtureRequest) -> Lake:
    """Each real destination in turn; parametrize indirectly to choose."""
    chosen: Lake = request.getfixturevalue(f"{request.param}_lake")
    return chosen


@pytest.fixture
def works(store: Store, tmp_path: Path, lake: Lake) -> Works:
    return Works(store, tmp_path, lake)
