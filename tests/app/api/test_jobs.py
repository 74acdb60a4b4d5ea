"""Jobs over the API: saved, changed under If-Match, switched, run, reset, and their fire times."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.app.api.conftest import MakeClient
from worker.run import RunState, Trigger
from worker.store import Store
from worker.store.runs import new_run
from worker.streams import known_there_as

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


def test_an_undo_is_a_run_of_what_is_kept(make_client: MakeClient, job: Job, store: Store) -> None:
    worker = Nudged()
    client = make_client(worker=worker)
    refused = client.post("/api/jobs/orders/undo")
    assert refused.status_code == 409
    assert "nothing is kept of it" in refused.json()["detail"]
    assert client.post("/api/jobs/orders/undo", json={"stream": "nowhere"}).status_code == 404
    spec = store.jobs.get("orders").streams[0]
    known_as = known_there_as(store.jobs.get("orders"))
    place = {"known_as": known_as, "destination": "attic", "target": spec.destination_name}
    before = {"checkpoint": None, "schema": None}
    noted = place | {"run_id": "r", "generation": None, "now": "r", "before": before, "options": {}, "seconds": 60.0}
    store.undos.begin("orders", spec.name, 1, noted)
    store.undos.date("orders", spec.name, 1, 60.0)
    store.undos.close("orders", spec.name, 1, 7)
    answer = client.post("/api/jobs/orders/undo", json={"stream": spec.name})
    assert answer.status_code == 202
    assert (answer.json()["trigger"], answer.json()["state"]) == ("manual", "queued")
    assert store.runs.get(answer.json()["id"])["undo"] == [spec.name]
    assert worker.nudges == 1
    assert client.post("/api/jobs/orders/undo").status_code == 409


def test_a_verification_is_a_run_that_says_what_to_do(make_client: MakeClient, job: Job, store: Store) -> None:
    worker = Nudged()
    client = make_client(worker=worker)
    spec = store.jobs.get("orders").streams[0]
    refused = client.post("/api/jobs/orders/verify", json={"stream": "nowhere"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "stream"
    answer = client.post("/api/jobs/orders/verify", json={"stream": spec.name, "repair": True})
    assert answer.status_code == 202
    assert store.runs.get(answer.json()["id"])["verify"] == {"stream": spec.name, "repair": True}
    assert worker.nudges == 1
    assert client.post("/api/jobs/orders/verify").status_code == 409


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


def test_a_job_that_was_broken_by_hand_spoils_no_list(client: TestClient, job: Job, store: Store) -> None:
    for name in ("a", "b", "c"):
        draft = {"id": name, "source": "attic", "destination": "attic", "streams": [{"name": "authors"}]}
        client.post("/api/jobs", json=draft | {"schedule": {"every": "1h"}})
    store.database["jobs"].update_one({"_id": "a"}, {"$unset": {"streams": ""}})
    store.database["jobs"].update_one({"_id": "b"}, {"$set": {"schedule": {"cron": "now and then"}}})
    page = client.get("/api/jobs?limit=2").json()
    assert [one["id"] for one in page["items"]] == ["b", "c"] and page["next"] == "c"
    assert page["items"][0]["words"].startswith("cannot be read")
    assert client.get("/api/status").status_code == 200
    refused = client.get("/api/jobs/a")
    assert refused.status_code == 422 and "'streams' is missing" in refused.json()["detail"]


def test_a_job_that_cannot_be_read_can_be_saved_anew_or_deleted(client: TestClient, job: Job, store: Store) -> None:
    store.database["jobs"].update_one({"_id": "orders"}, {"$unset": {"retry": ""}})
    draft = {"source": "attic", "destination": "attic", "streams": [{"name": "authors"}]}
    assert client.put("/api/jobs/orders", json=draft, headers={"If-Match": '"7"'}).status_code == 412
    assert client.put("/api/jobs/orders", json=draft, headers=FIRST).json()["revision"] == 2
    store.database["jobs"].update_one({"_id": "orders"}, {"$unset": {"retry": ""}})
    assert client.delete("/api/jobs/orders", headers={"If-Match": '"2"'}).status_code == 204
    assert client.get("/api/jobs").json()["items"] == []
