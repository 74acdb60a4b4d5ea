"""A scene on a database of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from tests.machines.scene import Scene
from worker.store import Store
from worker.store.client import Document


@pytest.fixture
def scene(mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    with MongoClient[Document](mongo_url, tz_aware=True, w=1) as client:
        Store(client, name).ensure_indexes()
        yield Scene(client, name, monkeypatch)
        client.drop_database(name)
