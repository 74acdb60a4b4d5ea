"""Documents that somebody changed by hand in MongoDB: no list fails for them, and they can be mended or deleted."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from worker.run import Trigger
from worker.store import Store

ANY = {"If-Match": "*"}
BROKEN_RUNS = [
    {"state": "dancing"},
    {"queued_at": "yesterday"},
    {"progress": "much"},
    {"attempts": 7},
    {"claim": None},
    {"trigger": None},
]
BROKEN_CONNECTIONS = [
    {"settings": "none"},
    {"type": 7},
    {"settings": {"url": {"sealed": "what"}}},
    {"created_at": "long ago"},
    {"revision": None},
]


@pytest.mark.parametrize("change", BROKEN_RUNS, ids=str)
def test_a_broken_run_costs_no_other_its_answer(
    client: TestClient, job: dict[str, Any], store: Store, change: dict[str, Any]
) -> None:
    broken = store.runs.create("orders", Trigger.MANUAL)["_id"]
    store.runs.cancel(broken, "the test")
    whole = store.runs.create("orders", Trigger.MANUAL)["_id"]
    store.database["runs"].update_one({"_id": broken}, {"$set": change})
    paths = ["/api/runs", "/api/runs?job=orders", "/api/jobs", "/api/jobs/orders", "/api/status", "/api/summary"]
    for path in [*paths, "/api/needs", "/api/timeline", "/api/throughput", "/metrics", "/api/instances"]:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text)
    assert [run["id"] for run in client.get("/api/runs").json()["items"]] in ([whole], [whole, broken])
    answer = client.get(f"/api/runs/{broken}")
    assert answer.status_code == 422 and broken in answer.json()["detail"] and "by hand" in answer.json()["detail"]


def test_the_page_after_a_broken_run_is_found(client: TestClient, job: dict[str, Any], store: Store) -> None:
    ids = []
    for _ in range(4):
        ids.append(store.runs.create("orders", Trigger.MANUAL)["_id"])
        store.runs.cancel(ids[-1], "the test")
    newest, second, third, oldest = reversed(ids)
    store.database["runs"].update_one({"_id": second}, {"$set": {"claim": 1}})
    first = client.get("/api/runs?limit=2").json()
    assert [run["id"] for run in first["items"]] == [newest] and first["next"] == second
    rest = client.get(f"/api/runs?limit=2&after={second}").json()
    assert [run["id"] for run in rest["items"]] == [third, oldest] and rest["next"] is None


@pytest.mark.parametrize("change", BROKEN_CONNECTIONS, ids=str)
def test_a_broken_connection_is_left_out_and_mended(
    client: TestClient, job: dict[str, Any], store: Store, change: dict[str, Any]
) -> None:
    other = {"id": "cellar", "type": "shelf", "url": "shelf://cellar"}
    assert client.post("/api/connections", json=other).status_code == 201
    store.database["connections"].update_one({"_id": "attic"}, {"$set": change})
    assert [one["id"] for one in client.get("/api/connections").json()["items"]] == ["cellar"]
    answer = client.get("/api/connections/attic")
    assert answer.status_code == 422 and "attic" in answer.json()["detail"]
    for path in ("/api/jobs", "/api/jobs/orders", "/api/status", "/metrics"):
        assert client.get(path).status_code == 200, path
    assert client.post("/api/connections/attic/test").status_code == 422
    draft = {"type": "shelf", "url": "shelf://mended"}
    mended = client.put("/api/connections/attic", json=draft, headers=ANY)
    if change.get("created_at") or "revision" in change:
        assert mended.status_code in (200, 422)
    else:
        assert mended.status_code == 200, mended.text
        assert client.get("/api/connections/attic").json()["url"] == "shelf://mended"
    assert client.delete("/api/jobs/orders", headers=ANY).status_code == 204
    assert client.delete("/api/connections/attic", headers=ANY).status_code == 204
