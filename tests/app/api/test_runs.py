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
    retried = store.runs.create("orders", Trigger.RETRY)["_id"]
    assert found("trigger=retry") == found("trigger=retry,backfill&state=queued") == {retried}
    assert len(found("trigger=manual")) == 3 and found("trigger=schedule") == set()
    assert client.get("/api/runs?trigger=chance").status_code == 422
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


def test_a_log_is_searched_outlined_and_downloaded(client: TestClient, store: Store) -> None:
    run_id = saved(store, RunState.FAILED, 1)
    at = store.now()
    lines = [{"at": at, "level": "info", "message": f"line {n}", "attempt": 1} for n in range(1, 1200)]
    lines[500] |= {"level": "error", "message": "Boom:\nthe second line", "stream": "main/books"}
    lines[900] |= {"level": "error", "message": "again"}
    lines[-1] |= {"level": "warning", "message": "9 more lines were not kept", "dropped": 9}
    for first in range(0, len(lines), 300):
        store.logs.append(run_id, lines[first : first + 300], first=first + 1)
    outline = client.get(f"/api/runs/{run_id}/logs/outline").json()
    assert outline["lines"] == 1199 and outline["first_error"] == 501 and outline["dropped"] == 9
    assert outline["levels"] == {"debug": 0, "info": 1196, "warning": 1, "error": 2}
    found = client.get(f"/api/runs/{run_id}/logs", params={"q": "BOOM"}).json()["items"]
    assert [line["n"] for line in found] == [501]
    assert client.get(f"/api/runs/{run_id}/logs?q=.*").json()["items"] == []
    window = client.get(f"/api/runs/{run_id}/logs?after=700&limit=3").json()["items"]
    assert [line["n"] for line in window] == [701, 702, 703]
    text = client.get(f"/api/runs/{run_id}/logs/text")
    assert "attachment" in text.headers["content-disposition"] and text.headers["content-type"].startswith("text/plain")
    printed = text.text.splitlines()
    assert len(printed) == 1200 and printed[500].endswith("error\tmain/books: Boom:")
    assert printed[501] == "    the second line"


def test_an_empty_log_has_an_outline_too(client: TestClient, store: Store) -> None:
    run_id = saved(store, RunState.FAILED, 1)
    outline = client.get(f"/api/runs/{run_id}/logs/outline").json()
    assert outline["lines"] == 0 and outline["first_error"] is None
    assert client.get(f"/api/runs/{run_id}/logs/text").text == ""
    for path in ("outline", "text"):
        assert client.get(f"/api/runs/nothing/logs/{path}").status_code == 404


def test_marks_lead_to_any_part_of_a_long_log(client: TestClient, store: Store) -> None:
    run_id = saved(store, RunState.FAILED, 1)
    now = store.now()
    lines = [
        {"at": now, "level": "error" if n % 10 == 0 else "info", "message": str(n), "attempt": 1} for n in range(1000)
    ]
    store.logs.append(run_id, lines, first=1)
    url = f"/api/runs/{run_id}/logs"
    marks = client.get(f"{url}/marks?every=50&level=error").json()
    assert marks == {"count": 100, "marks": [1, 501], "lines": 1000}
    part = client.get(f"{url}?after={marks['marks'][1] - 1}&limit=50&level=error").json()["items"]
    assert [part[0]["message"], part[-1]["message"], len(part)] == ["500", "990", 50]
    assert client.get(f"{url}/marks?attempt=2").json() == {"count": 0, "marks": [], "lines": 1000}
    assert client.get(f"{url}/marks?every=1").status_code == 422
    assert client.get("/api/runs/none/logs/marks").status_code == 404


def test_a_run_knows_the_runs_of_its_job_beside_it(client: TestClient, store: Store) -> None:
    ids = [saved(store, RunState.FAILED, number) for number in (1, 2, 5)]
    beside = client.get(f"/api/runs/{ids[1]}/neighbours").json()
    assert [beside["older"]["id"], beside["newer"]["id"]] == [ids[0], ids[2]]
    assert client.get(f"/api/runs/{ids[0]}/neighbours").json()["older"] is None
    assert client.get(f"/api/runs/{ids[2]}/neighbours").json()["newer"] is None
