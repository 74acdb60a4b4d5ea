"""Dry runs over the API: what is asked and answered. What they find is tested in tests/worker/test_dry_run.py."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api import dry_runs
from worker import connectors
from worker.store import Store

DRAFT: dict[str, Any] = {
    "source": "shop",
    "destination": "lake",
    "streams": [{"name": "books", "write": "upsert", "key": ["id"]}, {"name": "nowhere"}],
}
ASK = "/api/jobs/orders/dry-run"


@pytest.fixture
def shop(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(connectors, "REGISTRY", {"sqlite": "worker.connectors.sqlite:SQLite"})
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, cover BLOB)")
        database.execute("INSERT INTO books VALUES (1, 'one', x'ff00'), (2, 'two', NULL)")
    for name in ("shop", "lake"):
        connection = {"id": name, "type": "sqlite", "path": str(tmp_path / f"{name}.db")}
        assert client.post("/api/connections", json=connection).status_code == 201
    return client


def test_a_saved_job_is_looked_at_stream_by_stream(shop: TestClient, store: Store, tmp_path: Path) -> None:
    assert shop.post("/api/jobs", json={"id": "orders", **DRAFT}).status_code == 201
    answer = shop.post(ASK)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert list(said["streams"]) == ["books", "nowhere"] and said["partial"] is False and said["ms"] >= 0
    books = said["streams"]["books"]
    assert (books["read"], books["would_insert"], books["would_update"], books["would_delete"]) == (2, 2, 0, 0)
    assert books["would_create"] and {"name": "title", "type": "text"} in books["would_add_columns"]
    assert books["sample"][0] == {"id": 1, "title": "one", "cover": "/wA="} and books["error"] is None
    nowhere = said["streams"]["nowhere"]
    assert "nowhere" in nowhere["error"] and nowhere["would_insert"] is None
    assert store.runs.list() == [] and not (tmp_path / "lake.db").exists()


def test_a_draft_needs_no_saved_job(shop: TestClient) -> None:
    assert shop.post(ASK).status_code == 404
    asked = {"draft": DRAFT, "stream": "books", "limit": 1}
    said = shop.post(ASK, json=asked).json()
    assert list(said["streams"]) == ["books"] and said["streams"]["books"]["read"] == 1
    assert said["partial"] is True and said["streams"]["books"]["partial"] is True


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"draft": DRAFT | {"colour": "red"}}, "draft.colour"),
        ({"draft": DRAFT | {"streams": [{"name": "books", "mode": "half"}]}}, "draft.streams[0].mode"),
        ({"draft": DRAFT, "stream": "other"}, "stream"),
        ({"limit": 0}, "limit"),
        ({"seconds": 3}, "seconds"),
    ],
)
def test_what_cannot_be_looked_at_is_named(shop: TestClient, asked: dict[str, Any], field: str) -> None:
    answer = shop.post(ASK, json=asked)
    assert answer.status_code == 422 and [fault["field"] for fault in answer.json()["errors"]] == [field]


def test_only_so_many_are_under_way_at_once(shop: TestClient) -> None:
    with ExitStack() as busy:
        for _ in range(dry_runs.MOST_AT_ONCE):
            busy.enter_context(dry_runs._slots)
        answer = shop.post(ASK, json={"draft": DRAFT})
        assert answer.status_code == 503 and answer.headers["retry-after"]
    assert shop.post(ASK, json={"draft": DRAFT}).status_code == 200
