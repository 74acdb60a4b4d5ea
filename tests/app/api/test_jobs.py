"""Jobs over the API: saved, changed under If-Match, switched, run, reset, and their fire times."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.app.api.conftest import MakeClient
from worker.run import RunState, Trigger
from worker.store import Store
from worker.store.runs import new_run

Job = dict[str, Any]
FIRST = {"If-Match": '"1"'}


def test_a_job_is_saved_with_its_defaults(client: TestClient, job: Job) -> None:
    assert job["id"] == "orders" and job["revision"] == 1 and job["enabled"] is True
    assert job["words"] == "by hand only" and job["schedule"] is None and job["next_fire_time"] is None
    assert job["retry"] == {"attempts": 3, "backoff": "10s", "max_backoff": "10m"}
    assert job["created_at"].endswith("Z")
    answer = client.get("/api/jobs/orders")
    assert answer.json() == job and answer.headers["etag"] == '"1"'
    assert client.get("/api/jobs").json() == {"items": [job], "next": None}


def test_a_new_job_says_where_it_is_and_when_it_fires(client: TestClient, job: Job) -> None:
    draft = {"id": "often", "source": "attic", "destination": "attic", "streams": [{"name": "authors"}]}
    answer = client.post("/api/jobs", json=draft | {"schedule": {"every": "15m"}})
    assert answer.status_code == 201 and answer.headers["location"] == "/api/jobs/often"
    said = answer.json()
    assert said["schedule"]["every"] == "15m" and said["words"] == "every 15m" and said["next_fire_time"]


def test_an_id_is_taken_once(client: TestClient, job: Job) -> None:
    draft = {"id": "orders", "source": "attic", "destination": "attic", "streams": [{"name": "authors"}]}
    assert client.post("/api/jobs", json=draft).status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": None}, "id"),
        ({"source": "nowhere"}, "source"),
        ({"streams": [{"name": "authors", "colour": 1}]}, "streams[0].colour"),
        ({"colour": 1}, "colour"),
        ({"schedule": {"cron": "61 * * * *"}}, "schedule.cron"),
        ({"streams": [{"name": "authors", "mode": "sideways"}]}, "streams[0].mode"),
    ],
)
def test_every_mistake_is_named(client: TestClient, job: Job, change: Job, field: str) -> None:
    draft = {"id": "new", "source": "attic", "destination": "attic", "streams": [{"name": "authors"}]}
    answer = client.post("/api/jobs", json=draft | change)
    assert answer.status_code == 422
    assert field in [fault["field"] for fault in answer.json()["errors"]]


def test_what_was_read_can_be_sent_back(client: TestClient, job: Job) -> None:
    answer = client.put("/api/jobs/orders", json=job, headers=FIRST)
    assert answer.status_code == 200
    ignored = {"revision", "updated_at"}
    assert {k: v for k, v in answer.json().items() if k not in ignored} == {
        k: v for k, v in job.items() if k not in ignored
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_needs_the_current_revision(client: TestClient, job: Job, method: str) -> None:
    body = None if method == "DELETE" else job
    assert client.request(method, "/api/jobs/orders", json=body).status_code == 428
    assert client.request(method, "/api/jobs/orders", json=body, headers={"If-Match": "soon"}).status_code == 400
    stale = client.request(method, "/api/jobs/orders", json=body, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    assert stale.json()["current"]["revision"] == 1
    wild = client.request(method, "/api/jobs/orders", json=body, headers={"If-Match": "*"})
    assert wild.status_code == (204 if method == "DELETE" else 200)


def test_a_patch_merges_and_null_takes_back_the_default(client: TestClient, job: Job) -> None:
    changed = client.patch("/api/jobs/orders", json={"timeout": "1h", "retry": {"attempts": 5}}, headers=FIRST).json()
    assert changed["timeout"] == "1h" and changed["retry"]["attempts"] == 5 and changed["streams"] == job["streams"]
    again = client.patch("/api/jobs/orders", json={"timeout": None, "guards": False}, headers={"If-Match": '"2"'})
    assert again.json()["timeout"] is None and again.json()["retry"]["attempts"] == 5
    assert again.json()["guards"] == {"max_delete": False, "max_shrink": False}
    back = client.put("/api/jobs/orders", json=again.json(), headers={"If-Match": '"3"'})
    assert back.json()["guards"] == {"max_delete": False, "max_shrink": False}


def test_a_job_that_a_file_keeps_is_changed_there(client: TestClient, job: Job, store: Store) -> None:
    store.database["jobs"].update_one({"_id": "orders"}, {"$set": {"owner": "/etc/jobs.yaml"}})
    for method in ("PUT", "PATCH", "DELETE"):
        body = None if method == "DELETE" else job
        answer = client.request(method, "/api/jobs/orders", json=body, headers=FIRST)
        assert answer.status_code == 409 and "/etc/jobs.yaml" in answer.json()["detail"]


def test_a_job_is_switched_off_and_on(client: TestClient, job: Job) -> None:
    client.patch("/api/jobs/orders", json={"schedule": {"every": "1h"}}, headers=FIRST)
    off = client.post("/api/jobs/orders/disable").json()
    assert off["enabled"] is False and off["next_fire_time"] is None
    assert client.get("/api/jobs/orders/fire-times").json()["next"] == []
    on = client.post("/api/jobs/orders/enable").json()
    assert on["enabled"] is True and on["next_fire_time"]
    assert client.post("/api/jobs/orders/enable").json()["revision"] == on["revision"]


class Nudged:
    """Stands where the worker does, and counts."""

    instance_id = "this"
    nudges = 0

    def nudge(self) -> None:
        self.nudges += 1

    def health(self) -> list[str]:
        return []


def test_run_now_queues_one_run_and_wakes_the_worker(make_client: MakeClient, job: Job) -> None:
    worker = Nudged()
    client = make_client(worker=worker)
    answer = client.post("/api/jobs/orders/run")
    assert answer.status_code == 202
    run = answer.json()
    assert run["state"] == "queued" and run["trigger"] == "manual" and run["job_id"] == "orders"
    assert worker.nudges == 1
    assert client.post("/api/jobs/orders/run").status_code == 409
    assert client.post("/api/jobs/orders/reset").status_code == 409
    assert client.get("/api/jobs/orders").json()["last_run"]["id"] == run["id"]


def test_a_reset_forgets_checkpoints(client: TestClient, job: Job, store: Store) -> None:
    store.checkpoints.save("orders", "main/books", 7, run_id="r", sequence=1, token=1)
    assert client.post("/api/jobs/orders/reset", json={"stream": "nothing"}).status_code == 404
    assert client.post("/api/jobs/orders/reset").json() == {"streams": ["main/books"]}
    assert store.checkpoints.list("orders") == []


def test_fire_times_say_what_became_of_each(client: TestClient, job: Job, store: Store) -> None:
    client.patch("/api/jobs/orders", json={"schedule": {"every": "1h"}}, headers=FIRST)
    now = store.now()
    missed = new_run(
        "orders", Trigger.SCHEDULE, state=RunState.MISSED, sequence=1, queued_at=now, fire_time=now,
        reason="nobody led", missed_until=now, missed_count=3,
    )  # fmt: skip
    store.runs.insert_planned([missed])
    said = client.get("/api/jobs/orders/fire-times?n=2").json()
    assert len(said["next"]) == 2
    (past,) = said["past"]
    assert past["state"] == "missed" and past["reason"] == "nobody led" and past["count"] == 3
    assert client.get("/api/jobs/orders/fire-times?n=0").status_code == 422


def test_a_deleted_job_is_gone(client: TestClient, job: Job) -> None:
    assert client.delete("/api/jobs/orders", headers=FIRST).status_code == 204
    assert client.get("/api/jobs/orders").status_code == 404


def test_jobs_come_in_pages(client: TestClient, job: Job) -> None:
    for name in ("a", "b"):
        draft = {"id": name, "source": "attic", "destination": "attic", "streams": [{"name": "authors"}]}
        client.post("/api/jobs", json=draft)
    first = client.get("/api/jobs?limit=2").json()
    assert [one["id"] for one in first["items"]] == ["a", "b"] and first["next"] == "b"
    rest = client.get("/api/jobs?limit=2&after=b").json()
    assert [one["id"] for one in rest["items"]] == ["orders"] and rest["next"] is None
