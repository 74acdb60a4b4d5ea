"""Jobs as YAML over the API: read, printed, exported, planned, applied; and what a file owns is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.app.api.conftest import MakeClient
from worker.apply import Owner, apply
from worker.declaration import load
from worker.run import Trigger
from worker.store import Store
from worker.vault import Vault

Job = dict[str, Any]
ORDERS = """\
orders:
  source: attic
  destination: attic
  schedule:
    cron: '*/5 * * * *'
  streams:
  - name: main/books
    mode: full
    write: replace
    glob: '007'
"""
FILE = """\
version: 1
connections:
  attic: {type: shelf, url: "shelf://attic"}
jobs:
  orders: {source: attic, destination: attic, streams: [{name: main/books}]}
"""
FIRST = {"If-Match": "*"}


def read(client: TestClient, text: str) -> Any:
    answer = client.post("/api/declaration/read", json={"text": text})
    assert answer.status_code == 200, answer.text
    return answer.json()


def owned(store: Store, vault: Vault) -> None:
    apply(store, vault, load(FILE), owner=Owner(file="/etc/jobs.yaml"))


def test_a_job_goes_from_yaml_to_a_draft_and_back_as_the_same_bytes(client: TestClient, job: Job) -> None:
    said = read(client, ORDERS)
    assert said["id"] == "orders" and said["faults"] == []
    assert said["job"]["streams"][0]["glob"] == "007"
    answer = client.post("/api/declaration/print", json={"id": "orders", "job": said["job"]})
    assert answer.json() == {"text": ORDERS}


@pytest.mark.parametrize(
    "text",
    [
        "source: attic\ndestination: attic\nstreams: [{name: authors}]\n",
        "version: 1\njobs:\n  mine: {source: attic, destination: attic, streams: [{name: authors}]}\n",
        'version: 1\nconnections:\n  new: {type: shelf, url: "shelf://x"}\n'
        "jobs:\n  mine: {source: new, destination: attic, streams: [{name: authors}]}\n",
    ],
)
def test_a_job_is_read_from_its_fields_alone_and_from_a_whole_file(client: TestClient, job: Job, text: str) -> None:
    said = read(client, text)
    assert said["faults"] == [] and said["job"]["streams"][0]["name"] == "authors"


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("orders:\n  source: atic\n  destination: attic\n  streams: [{name: a}]\n", 2, 3, "did you mean attic?"),
        ("source: attic\ndestination: attic\nstreams: [{name: a, mod: full}]\n", 3, 21, "did you mean mode?"),
        ("source: attic\n\tdestination: attic\n", 2, 1, "is no YAML"),
        ("version: 1\njobs: {}\n", 2, 1, "has 0 jobs; allowed here: one"),
        ("", 1, 1, "is empty"),
        ("- a\n", 1, 1, "is a list"),
    ],
)
def test_a_mistake_in_a_job_is_told_with_its_place(
    client: TestClient, job: Job, text: str, line: int, column: int, message: str
) -> None:
    said = read(client, text)
    assert said["job"] is None
    assert [(one["line"], one["column"]) for one in said["faults"]][:1] == [(line, column)]
    assert any(message in one["message"] for one in said["faults"])


def test_a_draft_that_is_none_is_a_422_that_names_each_field(client: TestClient, job: Job) -> None:
    answer = client.post("/api/declaration/print", json={"id": "x", "job": {"source": "nowhere", "colour": 1}})
    assert answer.status_code == 422
    assert {"source", "colour", "destination"} <= {fault["field"] for fault in answer.json()["errors"]}


def test_the_export_has_no_secret_and_applies_as_it_is(client: TestClient, job: Job) -> None:
    answer = client.get("/api/export")
    assert answer.headers["content-type"].startswith("application/yaml")
    assert "shelf://attic" not in answer.text and "${ATTIC_URL}" in answer.text
    assert client.post("/api/plan", json={"text": answer.text}).json() == {
        "applied": False,
        "changes": [],
        "faults": [],
    }
    assert client.post("/api/apply", json={"text": answer.text, "prune": True}).json()["changes"] == []
    assert client.get("/api/export").text == answer.text


def test_a_plan_says_what_a_change_means_and_changes_nothing(client: TestClient, job: Job, store: Store) -> None:
    text = client.get("/api/export").text.replace("streams:", "schedule: {every: 15m}\n    streams:")
    before = client.get("/api/jobs/orders").json()
    (change,) = client.post("/api/plan", json={"text": text}).json()["changes"]
    assert (change["mark"], change["kind"], change["id"], change["blocked"]) == ("~", "job", "orders", None)
    assert change["details"] == ["schedule: (none) -> {every: 15m}"]
    assert change["means"][0].startswith("fires every 15m, first at ")
    assert client.get("/api/jobs/orders").json() == before
    done = client.post("/api/apply", json={"text": text}).json()
    assert done["applied"] is True and done["changes"][0]["mark"] == "~"
    assert client.get("/api/jobs/orders").json()["schedule"]["every"] == "15m"


def test_a_text_with_mistakes_is_planned_with_their_places_and_refused_when_applied(client: TestClient) -> None:
    said = client.post("/api/plan", json={"text": "version: 1\njob: {}\n"}).json()
    assert said["changes"] == []
    assert said["faults"] == [
        {"line": 2, "column": 1, "field": "job", "message": "is not known here; did you mean jobs?"}
    ]
    answer = client.post("/api/apply", json={"text": "version: 1\njob: {}\n"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"].startswith("line 2, column 1: is not known here")


def test_what_cannot_be_done_now_is_told_in_the_plan_and_a_409(client: TestClient, job: Job, store: Store) -> None:
    run = store.runs.create("orders", Trigger.MANUAL)
    asked = {"text": "version: 1\n", "prune": True}
    blocked = [one["blocked"] for one in client.post("/api/plan", json=asked).json()["changes"] if one["blocked"]]
    assert len(blocked) == 1 and run["_id"] in blocked[0]
    assert client.post("/api/apply", json=asked).status_code == 409
    assert client.get("/api/jobs/orders").status_code == 200


def test_applied_changes_are_in_the_audit_of_each_job(client: TestClient, job: Job) -> None:
    client.post("/api/apply", json={"text": FILE.replace("main/books", "authors")})
    found = client.get("/api/audit", params={"subject": "jobs/orders"}).json()["items"]
    assert found[0]["action"] == "job.update"
    assert found[0]["after"]["streams"][0]["name"] == "authors"


# What a file owns.


@pytest.mark.parametrize("path", ["/api/jobs/orders", "/api/connections/attic"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_a_file_owns_is_not_changed_over_the_api(
    client: TestClient, store: Store, vault: Vault, method: str, path: str
) -> None:
    owned(store, vault)
    before = client.get(path).json()
    assert before["owner"] == "/etc/jobs.yaml"
    answer = client.request(method, path, json=None if method == "DELETE" else {}, headers=FIRST)
    assert answer.status_code == 409
    assert "/etc/jobs.yaml" in answer.json()["detail"]
    assert client.get(path).json() == before


def test_a_text_that_changes_what_a_file_owns_is_refused_whole(client: TestClient, store: Store, vault: Vault) -> None:
    owned(store, vault)
    more = "  more: {source: attic, destination: attic, streams: [{name: authors}]}\n"
    text = FILE.replace("{name: main/books}", "{name: authors}") + more
    (kept,) = [
        one["blocked"] for one in client.post("/api/plan", json={"text": text}).json()["changes"] if one["blocked"]
    ]
    assert kept == "job orders is kept by /etc/jobs.yaml; change it there"
    answer = client.post("/api/apply", json={"text": text})
    assert answer.status_code == 409 and "/etc/jobs.yaml" in answer.json()["detail"]
    assert client.get("/api/jobs/more").status_code == 404
    assert client.post("/api/apply", json={"text": FILE + more}).status_code == 200


def test_in_an_emergency_an_owned_job_can_be_stopped_run_and_reset(
    client: TestClient, store: Store, vault: Vault
) -> None:
    owned(store, vault)
    assert client.post("/api/jobs/orders/disable").json()["enabled"] is False
    assert client.post("/api/jobs/orders/enable").json()["enabled"] is True
    assert client.post("/api/jobs/orders/reset", json={}).status_code == 200
    assert client.post("/api/jobs/orders/run").status_code == 202
    assert client.get("/api/jobs/orders").json()["owner"] == "/etc/jobs.yaml"


def test_reading_and_planning_need_read_and_applying_needs_admin(make_client: MakeClient) -> None:
    client = make_client(auth_token="an-admin-token-of-the-tests")
    admin = {"Authorization": "Bearer an-admin-token-of-the-tests"}
    made = client.post("/api/tokens", json={"name": "viewer", "scope": "read"}, headers=admin)
    viewer = {"Authorization": f"Bearer {made.json()['token']}"}
    assert client.get("/api/export", headers=viewer).status_code == 200
    assert client.post("/api/plan", json={"text": "version: 1\n"}, headers=viewer).status_code == 200
    assert client.post("/api/declaration/read", json={"text": ""}, headers=viewer).status_code == 200
    assert client.post("/api/apply", json={"text": "version: 1\n"}, headers=viewer).status_code == 403
    assert client.post("/api/apply", json={"text": "version: 1\n"}, headers=admin).status_code == 200
