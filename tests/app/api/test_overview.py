"""What the pages show of all jobs at once is what the runs say: counts, needs, timelines, throughput, searches."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.search import STANDINGS
from worker.run import RunState, Trigger
from worker.standing import Standing
from worker.store import Store
from worker.store.runs import new_run


class Scene:
    """Jobs of one connection, and runs as they would have been recorded."""

    def __init__(self, client: TestClient, store: Store) -> None:
        self.client = client
        self.store = store
        self.now = store.now()
        assert client.post("/api/connections", json={"id": "attic", "type": "shelf", "url": "shelf://a"}).is_success

    def job(self, job_id: str, **fields: Any) -> None:
        draft = {"id": job_id, "source": "attic", "destination": "attic", "streams": [{"name": "main/books"}]}
        answer = self.client.post("/api/jobs", json=draft | fields)
        assert answer.status_code == 201, answer.text

    def run(self, job_id: str, state: RunState, *, ago: float = 60.0, took: float = 10.0, **fields: Any) -> str:
        """A run that began `ago` seconds back; one that moved its data says so of its job."""
        jobs = self.store.database["jobs"]
        before = jobs.find_one_and_update({"_id": job_id}, {"$inc": {"last_sequence": 1}})
        assert before is not None
        sequence = before["last_sequence"] + 1
        begun = self.now - timedelta(seconds=ago)
        trigger = Trigger.SCHEDULE if "fire_time" in fields else Trigger.MANUAL
        run = new_run(job_id, trigger, state=state, sequence=sequence, queued_at=begun)
        run |= {"started_at": begun, "finished_at": begun + timedelta(seconds=took)} | fields
        self.store.database["runs"].insert_one(run)
        if state is RunState.SUCCEEDED and not fields.get("verify"):
            jobs.update_one({"_id": job_id}, {"$max": {"data_as_of": begun}})
        run_id: str = run["_id"]
        return run_id

    def due(self, job_id: str, at: datetime) -> None:
        self.store.database["jobs"].update_one({"_id": job_id}, {"$set": {"next_fire_time": at}})

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def scene(client: TestClient, store: Store) -> Scene:
    store.ensure_indexes()
    return Scene(client, store)


def rows(written: int, **more: Any) -> dict[str, Any]:
    return {"main/books": {"state": "succeeded", "read": written, "written": written, "deleted": 0, "bytes": 9} | more}


ERROR = {"type": "SourceUnavailable", "message": "no answer", "stream": None}


def every_standing(scene: Scene) -> dict[str, Standing]:
    """One job of each, by its id."""
    scene.job("a-held")
    scene.run("a-held", RunState.SUCCEEDED, ago=900)
    scene.run("a-held", RunState.HELD, finished_at=None, held={"removes": 7})
    scene.job("a-failed")
    scene.run("a-failed", RunState.SUCCEEDED, ago=900)
    scene.run("a-failed", RunState.FAILED, error=ERROR)
    scene.job("a-late", schedule={"every": "1h"})
    scene.due("a-late", scene.now - timedelta(minutes=5))
    scene.job("a-retrying")
    scene.run("a-retrying", RunState.QUEUED, finished_at=None, error=ERROR, not_before=scene.now + timedelta(minutes=1))
    scene.job("running")
    scene.run("running", RunState.RUNNING, finished_at=None)
    scene.job("queued")
    scene.run("queued", RunState.QUEUED, finished_at=None)
    scene.job("cancelled")
    scene.run("cancelled", RunState.CANCELLED)
    scene.job("paused", enabled=False)
    scene.run("paused", RunState.FAILED, error=ERROR)
    scene.job("new")
    scene.job("in-step")
    scene.run("in-step", RunState.FAILED, ago=900, error=ERROR)
    scene.run("in-step", RunState.SUCCEEDED, ago=800)
    scene.run("in-step", RunState.MISSED, fire_time=scene.now, started_at=None)
    return {
        "a-held": Standing.HELD,
        "a-failed": Standing.FAILED,
        "a-late": Standing.LATE,
        "a-retrying": Standing.RETRYING,
        "running": Standing.RUNNING,
        "queued": Standing.QUEUED,
        "cancelled": Standing.CANCELLED,
        "paused": Standing.PAUSED,
        "new": Standing.NEW,
        "in-step": Standing.IN_STEP,
    }


def test_every_job_is_counted_once_by_how_it_stands(scene: Scene) -> None:
    wanted = every_standing(scene)
    assert set(wanted.values()) == set(Standing)
    summary = scene.get("/api/summary")
    assert summary["jobs"] == len(Standing) and summary["standings"] == dict.fromkeys(map(str, Standing), 1)
    assert summary["next_job"] == "a-late"
    listed = {job["id"]: job["standing"] for job in scene.get("/api/jobs")["items"]}
    assert listed == wanted
    for word, standing in STANDINGS.items():
        found = [job["id"] for job in scene.get("/api/jobs", q=f"is:{word}")["items"]]
        assert found == [job_id for job_id, one in wanted.items() if one is standing]
    assert len(scene.get("/api/jobs", q="-is:held")["items"]) == len(Standing) - 1


def test_what_waits_is_listed_gravest_first_with_what_mends_it(scene: Scene) -> None:
    every_standing(scene)
    scene.job("typo", schedule={"every": "1h"})
    scene.run("typo", RunState.FAILED, error={"type": "StreamNotFound", "message": "no such", "stream": "main/books"})
    scene.job("secret")
    scene.run("secret", RunState.FAILED, error={"type": "Permanent", "message": "wrong key", "stream": None})
    scene.job("scheduled", schedule={"every": "1h"})
    scene.run("scheduled", RunState.FAILED, error=ERROR)
    scene.job("old", schedule={"every": "1h"})
    scene.run("old", RunState.SUCCEEDED, ago=5 * 3600)
    scene.job("slow", schedule={"every": "1d"})
    scene.run("slow", RunState.SUCCEEDED, ago=5 * 3600)
    needs = scene.get("/api/needs")
    told = [(need["kind"], need["job_id"], need["deed"], need["heals"]) for need in needs["items"]]
    assert told == [
        ("held", "a-held", "approve", False),
        ("misconfigured", "secret", "edit_connection", False),
        ("misconfigured", "typo", "edit_job", False),
        ("failed", "a-failed", "retry", False),
        ("failed", "scheduled", "retry", True),
        ("late", "a-late", "run", True),
        ("stale", "old", "run", False),
        ("retrying", "a-retrying", "wait", True),
    ]
    assert needs["summary"] == scene.get("/api/summary")
    by_job = {need["job_id"]: need for need in needs["items"]}
    assert by_job["a-held"]["run"]["removes"] == 7
    assert by_job["typo"]["field"] == "main/books" and by_job["a-retrying"]["heals_at"]
    assert by_job["scheduled"]["heals_at"] == scene.get("/api/jobs/scheduled")["next_fire_time"]
    few = scene.get("/api/needs", limit=2)
    assert len(few["items"]) == 2 and few["total"] == len(told)


def test_a_search_reads_words_fields_quotes_and_minus(scene: Scene) -> None:
    for name in ("orders", "orders-eu", "stock"):
        scene.job(name)

    def found(q: str) -> list[str]:
        return [job["id"] for job in scene.get("/api/jobs", q=q)["items"]]

    assert found("orders") == ["orders", "orders-eu"] and found("ORD eu") == ["orders-eu"]
    assert found("-eu orders") == ["orders"] and found("id:stock") == ["stock"] and found('"orders-"') == ["orders-eu"]
    assert found("source:attic stream:books") == ["orders", "orders-eu", "stock"] and found("destination:moon") == []
    assert found(".*") == found("$where") == []  # a search is no pattern


@pytest.mark.parametrize("q, named", [("is:fialed", "failed"), ("sorce:x", "source"), ("is:", "held")])
def test_a_search_that_cannot_be_read_is_refused_by_name(scene: Scene, q: str, named: str) -> None:
    answer = scene.client.get("/api/jobs", params={"q": q})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "q" and named in answer.json()["errors"][0]["message"]


def test_a_page_of_a_search_goes_on_where_the_one_before_ended(scene: Scene) -> None:
    for number in range(5):
        scene.job(f"j{number}")
        scene.run(f"j{number}", RunState.FAILED, error=ERROR)
    first = scene.get("/api/jobs", q="is:failed", limit=3)
    second = scene.get("/api/jobs", q="is:failed", limit=3, after=first["next"])
    assert [job["id"] for job in first["items"] + second["items"]] == [f"j{number}" for number in range(5)]
    assert second["next"] is None


def test_a_job_says_how_old_its_data_is_and_what_its_runs_are_usually_like(scene: Scene) -> None:
    scene.job("orders")
    for number, took in enumerate((10, 30, 20)):
        scene.run("orders", RunState.SUCCEEDED, ago=3600 - 600 * number, took=took, progress=rows(100))
    last = scene.run("orders", RunState.FAILED, ago=60, took=5, error=ERROR)
    job = scene.get("/api/jobs/orders")
    assert job["data_as_of"].startswith((scene.now - timedelta(seconds=2400)).isoformat()[:19])
    assert job["typical_seconds"] == 20 and 7_000 < job["rows_per_day"] < 7_400
    assert job["last_run"]["id"] == job["recent_runs"][0]["id"] == last
    assert [mark["seconds"] for mark in job["recent_runs"]] == [5, 20, 30, 10]
    usual = scene.get("/api/jobs/orders/usual")
    assert usual["runs"] == 3 and usual["seconds"] == 20 and usual["streams"]["main/books"]["written"] == 100


def test_a_timeline_has_the_past_the_future_and_what_a_clock_change_does(scene: Scene) -> None:
    scene.job("orders", schedule={"cron": "30 2 * * *", "timezone": "Europe/Paris"})
    done = scene.run("orders", RunState.SUCCEEDED, ago=7200, took=60)
    going = scene.run("orders", RunState.RUNNING, ago=30, finished_at=None)
    timeline = scene.get("/api/timeline", buckets=500)
    row = timeline["items"][0]
    assert [(span["run_id"], span["end"] is None) for span in row["past"]] == [(done, False), (going, True)]
    assert row["typical_seconds"] == 60 and timeline["since"] < timeline["now"] < timeline["until"]
    spring = scene.get("/api/timeline", since="2027-03-27T00:00:00Z", until="2027-03-30T00:00:00Z")["items"][0]
    assert [ahead["seconds"] for ahead in spring["ahead"]] == [60, 60, 60]
    assert [bool(ahead["note"]) for ahead in spring["ahead"]] == [False, True, False]


def test_runs_too_close_to_be_drawn_are_one_span_with_their_count(scene: Scene) -> None:
    scene.job("orders", schedule={"every": "1m"})
    for number in range(10):
        scene.run("orders", RunState.SUCCEEDED, ago=600 - number * 60, took=5)
    missed: dict[str, Any] = {"missed_until": scene.now - timedelta(minutes=20), "missed_count": 40}
    gap = scene.now - timedelta(hours=1)
    scene.run("orders", RunState.MISSED, ago=1200, fire_time=gap, started_at=None, **missed)
    row = scene.get("/api/timeline", buckets=12)["items"][0]
    assert [(span["state"], span["count"]) for span in row["past"]] == [("missed", 40), ("succeeded", 10)]
    assert sum(ahead["count"] for ahead in row["ahead"]) in (719, 720, 721) and len(row["ahead"]) <= 13
    fine = scene.get("/api/timeline", buckets=1000, since=(scene.now - timedelta(minutes=30)).isoformat())
    assert [span["count"] for span in fine["items"][0]["past"]][-10:] == [1] * 10


def test_a_timeline_is_paged_and_searched_like_the_jobs(scene: Scene) -> None:
    for number in range(5):
        scene.job(f"j{number}")
    first = scene.get("/api/timeline", limit=3)
    second = scene.get("/api/timeline", limit=3, after=first["next"])
    assert [row["job_id"] for row in first["items"] + second["items"]] == [f"j{number}" for number in range(5)]
    assert [row["job_id"] for row in scene.get("/api/timeline", q="j4")["items"]] == ["j4"]


def test_throughput_adds_up_to_what_the_runs_wrote(scene: Scene) -> None:
    scene.job("orders")
    scene.job("stock")
    for number in range(6):
        scene.run("orders", RunState.SUCCEEDED, ago=3600 * number + 1800, progress=rows(100))
    scene.run("stock", RunState.FAILED, ago=1800, progress=rows(5), error=ERROR)
    scene.run("stock", RunState.SKIPPED, ago=1800, fire_time=scene.now)
    whole = scene.get("/api/throughput", buckets=24)
    assert len(whole["items"]) == 24 and whole["seconds"] == 3600
    assert sum(one["written"] for one in whole["items"]) == 605
    assert sum(one["runs"] for one in whole["items"]) == 7 and sum(one["failed"] for one in whole["items"]) == 1
    assert max(one["written"] for one in whole["items"]) == 105
    assert sum(one["written"] for one in scene.get("/api/throughput", job="stock")["items"]) == 5


@pytest.mark.parametrize(
    "query, field",
    [
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"since": "2020-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "since"),
        ({"until": "0001-01-01T00:00:00Z"}, "since"),
        ({"buckets": "0"}, "buckets"),
    ],
)
def test_a_window_that_cannot_be_drawn_is_refused(scene: Scene, query: dict[str, str], field: str) -> None:
    for path in ("/api/timeline", "/api/throughput"):
        answer = scene.client.get(path, params=query)
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == field


def test_checkpoints_are_told_and_a_sealed_one_is_not(scene: Scene) -> None:
    scene.job("orders")
    save = scene.store.checkpoints._collection.insert_many
    fence = {"job_id": "orders", "sequence": 1, "token": 1}
    save(
        [
            fence | {"stream": "a", "value": {"after": 7}, "run_id": "r1"},
            fence | {"stream": "b", "value": {"sealed": {"key": "k", "text": "cipher"}}, "run_id": "r2"},
            fence | {"stream": "c", "value": None, "run_id": None},
        ]
    )
    told = scene.get("/api/jobs/orders/checkpoints")["items"]
    assert told == [
        {"stream": "a", "value": {"after": 7}, "sealed": False, "run_id": "r1"},
        {"stream": "b", "value": None, "sealed": True, "run_id": "r2"},
    ]
    assert scene.client.get("/api/jobs/nothing/checkpoints").status_code == 404


def test_a_broken_document_of_a_job_does_not_take_the_pages_down(scene: Scene) -> None:
    scene.job("orders")
    scene.store.database["jobs"].insert_one({"_id": "broken", "enabled": "perhaps", "next_fire_time": "soon"})
    assert scene.get("/api/summary")["jobs"] == 2
    assert [row["job_id"] for row in scene.get("/api/timeline")["items"]] == ["orders"]
    assert [job["id"] for job in scene.get("/api/jobs")["items"]] == ["orders"]
    assert scene.get("/api/needs")["items"] == []
