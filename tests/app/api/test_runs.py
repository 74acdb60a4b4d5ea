"""Runs over the API: history by page and filter, logs by page, cancel, retry, approve, discard."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from worker.run import RunState, Trigger
from worker.store import Store
from worker.store.runs import new_run

pytestmark = pytest.mark.usefixtures("job")


def saved(store: Store, state: RunState, sequence: int, **fields: Any) -> str:
    run = new_run("orders", Trigger.MANUAL, state=state, sequence=sequence, queued_at=store.now(), **fields)
    store.database["runs"].insert_one(run)
    store.database["jobs"].update_one({"_id": "orders"}, {"$max": {"last_sequence": sequence}})
    run_id: str = run["_id"]
    return run_id


def test_history_comes_newest_first_in_pages(client: TestClient, store: Store) -> None:
    ids = [saved(store, RunState.FAILED, number) for number in range(1, 6)]
    seen: list[str] = []
    after = ""
    while True:
        page = client.get(f"/api/runs?limit=2&after={after}").json()
        seen += [run["id"] for run in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert sorted(seen) == sorted(ids)
    stamps = [client.get(f"/api/runs/{run_id}").json()["queued_at"] for run_id in seen]
    assert stamps == sorted(stamps, reverse=True)


def test_history_is_filtered(client: TestClient, store: Store) -> None:
    failed = saved(store, RunState.FAILED, 1)
    cancelled = saved(store, RunState.CANCELLED, 2)
    saved(store, RunState.SUCCEEDED, 3)

    def found(query: str) -> set[str]:
        return {run["id"] for run in client.get(f"/api/runs?{query}").json()["items"]}

    assert found("state=failed") == {failed}
    assert found("state=failed,cancelled") == found("state=failed&state=cancelled") == {failed, cancelled}
    assert found("job=nothing") == found("since=2999-01-01T00:00:00Z") == set()
    assert len(found("job=orders&since=2020-01-01T00:00:00Z")) == 3
    assert client.get("/api/runs?state=sideways").status_code == 422
    assert client.get("/api/runs?after=gone").status_code == 422


@pytest.mark.parametrize("since", ["0.5", "1700000000", "yesterday", "9999-12-31T23:59:59-14:00"])
def test_a_time_is_iso_8601_and_nothing_else(client: TestClient, since: str) -> None:
    answer = client.get("/api/runs", params={"since": since})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "since"


def test_logs_come_in_pages_by_number_and_level(client: TestClient, store: Store) -> None:
    run_id = saved(store, RunState.FAILED, 1)
    levels = ("info", "debug", "error")
    lines = [{"at": store.now(), "level": level, "message": level, "attempt": 1} for level in levels]
    store.logs.append(run_id, lines, first=1)
    url = f"/api/runs/{run_id}/logs"
    page = client.get(f"{url}?limit=2").json()
    assert [line["n"] for line in page["items"]] == [1, 2] and page["next"] == "2"
    rest = client.get(f"{url}?after=2").json()
    assert [line["message"] for line in rest["items"]] == ["error"] and rest["next"] is None
    assert [line["n"] for line in client.get(f"{url}?level=info").json()["items"]] == [1, 3]
    assert client.get(f"{url}?level=loud").status_code == 422


def test_a_queued_run_is_cancelled_at_once_and_tried_again(client: TestClient) -> None:
    run_id = client.post("/api/jobs/orders/run").json()["id"]
    cancelled = client.post(f"/api/runs/{run_id}/cancel")
    assert cancelled.status_code == 202 and cancelled.json()["state"] == "cancelled"
    assert cancelled.json()["cancel"]["by"] == "anyone"
    assert client.post(f"/api/runs/{run_id}/cancel").status_code == 409
    retried = client.post(f"/api/runs/{run_id}/retry")
    assert retried.status_code == 202
    assert retried.json()["retry_of"] == run_id and retried.json()["state"] == "queued"


def test_a_held_run_is_approved_or_discarded(client: TestClient, store: Store) -> None:
    first = saved(store, RunState.HELD, 1, held={"removes": 12, "stream": "main/books"})
    assert client.get(f"/api/runs/{first}").json()["held"] == {"removes": 12, "stream": "main/books"}
    assert client.post("/api/jobs/orders/run").status_code == 409
    approved = client.post(f"/api/runs/{first}/approve").json()
    assert approved["state"] == "queued" and approved["approved"]["by"] == "anyone"
    assert client.post(f"/api/runs/{first}/discard").status_code == 409
    client.post(f"/api/runs/{first}/cancel")
    second = saved(store, RunState.HELD, 2, held={"removes": 12})
    assert client.post(f"/api/runs/{second}/discard").json()["state"] == "cancelled"


def test_a_deed_takes_no_body(client: TestClient, store: Store) -> None:
    run_id = saved(store, RunState.FAILED, 1)
    assert client.post(f"/api/runs/{run_id}/retry", json={"force": True}).status_code == 422
    assert client.post(f"/api/runs/{run_id}/retry", json={}).status_code == 202


def test_progress_is_shown_stream_by_stream(client: TestClient, store: Store) -> None:
    progress = {"state": "running", "read": 5, "written": 3, "deleted": 0, "bytes": 99, "total": 9}
    progress["checkpoint"] = b"\xff"  # whatever it is, it is printed
    run_id = saved(store, RunState.RUNNING, 1, progress={"main/books": progress})
    said = client.get(f"/api/runs/{run_id}").json()["progress"]["main/books"]
    assert (said["read"], said["written"], said["total"]) == (5, 3, 9)
