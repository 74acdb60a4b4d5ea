"""The demo: an empty installation gets something to look at, one that is not empty is left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.api import demo
from worker import connectors
from worker.store import Store

FACTS = {"pid": 1, "version": "0", "mode": "development"}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where DATA_DIR is; and the connector that the demo uses."""
    monkeypatch.setattr(connectors, "REGISTRY", {"sqlite": "worker.connectors.sqlite:SQLite"})
    monkeypatch.chdir(tmp_path)
    return tmp_path / "demo"


def orders(shop: Path) -> int:
    with closing(sqlite3.connect(shop)) as read:
        found: int = read.execute("SELECT count(*) FROM orders").fetchone()[0]
        return found


def test_the_demo_is_a_job_with_a_shop_to_copy(client: TestClient, folder: Path) -> None:
    answer = client.post("/api/demo")
    assert answer.status_code == 201
    made = answer.json()
    assert (made["id"], made["source"], made["destination"], made["enabled"]) == (
        "demo",
        "demo-shop",
        "demo-copy",
        True,
    )
    assert made["next_fire_time"] is not None
    assert demo.BEFORE <= orders(folder / "shop.db") < demo.ORDERS


def test_an_order_is_in_the_shop_once_its_time_has_come(folder: Path) -> None:
    folder.mkdir()
    now = datetime.now(UTC)
    demo.make_shop(folder / "early.db", now - 100 * demo.APART - timedelta(seconds=5))
    demo.make_shop(folder / "late.db", now)
    assert 100 <= orders(folder / "early.db") - orders(folder / "late.db") <= 101


def test_where_there_are_jobs_the_demo_is_refused(client: TestClient) -> None:
    client.post("/api/demo")
    again = client.post("/api/demo")
    assert again.status_code == 409
    assert "there are jobs already" in again.json()["detail"]


def test_where_an_instance_runs_elsewhere_the_demo_is_refused(client: TestClient, store: Store, folder: Path) -> None:
    store.instances.beat("far", FACTS | {"host": "another-machine"}, [])
    refused = client.post("/api/demo")
    assert refused.status_code == 409
    assert "other machines" in refused.json()["detail"]
    assert not folder.exists()


def test_a_deleted_demo_is_made_again_with_the_shop_that_is_there(client: TestClient, folder: Path) -> None:
    client.post("/api/demo")
    before = (folder / "shop.db").stat().st_mtime_ns
    client.delete("/api/jobs/demo", headers={"If-Match": '"1"'})
    assert client.post("/api/demo").status_code == 201
    assert (folder / "shop.db").stat().st_mtime_ns == before
