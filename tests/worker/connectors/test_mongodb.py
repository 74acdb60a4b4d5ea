"""MongoDB as a source and a destination, on a real replica set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from pymongo import MongoClient

from tests.contracts.destination import FencedContract
from tests.contracts.source import SourceContract
from worker.batch import Row
from worker.connectors.bson_values import CODEC
from worker.connectors.mongodb import MongoDBSettings
from worker.connectors.mongodb_source import MongoDBSource
from worker.connectors.mongodb_writer import MongoDBDestination

Client = MongoClient[dict[str, Any]]


@pytest.fixture
def client(mongo_url: str) -> Iterator[Client]:
    with Client(mongo_url, tz_aware=True, uuidRepresentation="standard") as client:
        yield client


class TestSource(SourceContract):
    schemaless = True

    @pytest.fixture(autouse=True)
    def _database(self, client: Client, mongo_url: str, mongo_database: str) -> None:
        self.settings = MongoDBSettings(url=mongo_url, database=mongo_database)
        self.collection = client[mongo_database]["people"]

    def source(self) -> MongoDBSource:
        return MongoDBSource(self.settings)

    def fill(self, rows: Sequence[Row]) -> None:
        if not rows:
            self.collection.database.create_collection("people")
        else:
            self.collection.insert_many([{"_id": row["id"], **row} for row in rows])

    def expected(self, row: Row) -> Row:
        return {"_id": row["id"], **row}


class TestDestination(FencedContract):
    @pytest.fixture(autouse=True)
    def _database(self, client: Client, mongo_url: str, mongo_database: str) -> None:
        self.settings = MongoDBSettings(url=mongo_url, database=mongo_database)
        self.database = client[mongo_database]

    def destination(self) -> MongoDBDestination:
        return MongoDBDestination(self.settings)

    def rows_in(self, name: str) -> list[Row] | None:
        if name not in self.places():
            return None
        found = self.database.get_collection(name, codec_options=CODEC).find({}, {"_id": 0}, sort=[("id", 1)])
        return list(found)

    def places(self) -> set[str]:
        return set(self.database.list_collection_names())

    def unholdable(self) -> Row | None:
        return {"name": "half a character: \ud83d"}

    def expected(self, row: Row) -> Row:
        return {name: _in_bson(value) for name, value in row.items()}


def _in_bson(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value.isoformat() if isinstance(value, time) else value
