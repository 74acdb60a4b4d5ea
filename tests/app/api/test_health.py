"""Health, readiness, the status in one look, instances, and the metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.app.api.conftest import MakeClient
from tests.app.api.test_jobs import Nudged
from worker.store import Store


def led_by(store: Store, instance: str) -> None:
    store.leases.hold("holder-1", "holder-2", instance, None, 60)
    store.leases.begin_term(1, holder="holder-1", instance=instance, host="here", pid=7)


def test_the_process_is_ready_when_its_database_answers(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"ready": True, "reasons": []}


def test_a_sick_worker_inside_is_told(make_client: MakeClient) -> None:
    class Sick(Nudged):
        def health(self) -> list[str]:
            return ["runner has not turned for 20 s"]

    answer = make_client(worker=Sick(), worker_forced=True).get("/readyz")
    assert answer.status_code == 503 and answer.json()["reasons"] == ["runner has not turned for 20 s"]


def test_a_worker_that_should_be_inside_and_is_not_is_told(make_client: MakeClient) -> None:
    answer = make_client(worker_forced=True).get("/readyz")
    assert answer.status_code == 503 and len(answer.json()["reasons"]) == 1


def test_status_says_it_all_in_one_look(make_client: MakeClient, job: dict[str, Any], store: Store) -> None:
    client = make_client(worker=Nudged())
    client.patch("/api/jobs/orders", json={"schedule": {"every": "1h"}}, headers={"If-Match": "*"})
    client.post("/api/jobs/orders/run")
    led_by(store, "this")
    said = client.get("/api/status").json()
    assert said["version"] and said["mode"] == "development" and said["instance"] == "this"
    assert said["lease"]["live"] is True and said["lease"]["instance"] == "this"
    assert said["queue"] == {"queued": 1, "running": 0, "held": 0} and said["queue_depth"] == 1
    assert [one["job_id"] for one in said["next_fire_times"]] == ["orders"] and said["warnings"] == []


def test_what_is_wrong_is_in_the_status_and_the_metrics(client: TestClient, job: dict[str, Any], store: Store) -> None:
    client.patch("/api/jobs/orders", json={"schedule": {"every": "1h"}}, headers={"If-Match": "*"})
    store.database["jobs"].update_one({}, {"$set": {"next_fire_time": store.now() - timedelta(minutes=5)}})
    (warning,) = client.get("/api/status").json()["warnings"]
    assert (warning["kind"], warning["subject"]) == ("late_job", "orders")
    assert "was due 5m ago" in warning["message"] and warning["since"].endswith("Z")
    metrics = client.get("/metrics").text
    assert 'syncworker_warnings{kind="late_job"} 1.0' in metrics
    assert 'syncworker_warnings{kind="no_leader"} 0.0' in metrics


def test_instances_come_with_the_terms_of_the_lease(client: TestClient, store: Store) -> None:
    store.instances.beat("this", {"host": "here", "pid": 7, "version": "1", "mode": "worker"}, ["run-1"])
    led_by(store, "this")
    said = client.get("/api/instances").json()
    (instance,) = said["items"]
    assert instance["id"] == "this" and instance["live"] is True and instance["active_runs"] == ["run-1"]
    assert [(term["id"], term["ended_at"]) for term in said["terms"]] == [(1, None)]


def test_metrics_count_runs_by_state(make_client: MakeClient, job: dict[str, Any], store: Store) -> None:
    client = make_client(worker=Nudged())
    client.post("/api/jobs/orders/run")
    led_by(store, "this")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = {
        (sample.name, sample.labels.get("state", "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["syncworker_runs", "queued"] == 1 and samples["syncworker_runs", "failed"] == 0
    assert samples["syncworker_queue_depth", ""] == samples["syncworker_lease_held_here", ""] == 1
    assert samples["process_resident_memory_bytes", ""] > 0


def test_metrics_tell_of_the_process_while_the_database_is_away(offline: TestClient) -> None:
    text = offline.get("/metrics").text
    assert "syncworker_database_up 0.0" in text and "process_resident_memory_bytes" in text
    assert "syncworker_queue_depth" not in text, "what is not known is not told"


def test_connectors_come_with_the_schema_of_their_settings(client: TestClient) -> None:
    (shelf,) = client.get("/api/connectors").json()["items"]
    assert shelf["name"] == "shelf" and shelf["secrets"] == ["password", "url"]
    assert shelf["settings"]["properties"]["room"]["default"] == "attic"
