"""What changes something leaves a record: who, what, when, from where, before and after; and no secret in it."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.operation import Operation
from app.routes import ROUTES
from tests.app.api.conftest import MakeClient
from worker.access import Scope
from worker.errors import StoreUnavailable
from worker.run import Trigger
from worker.store import Store

TOKEN = "a-token-of-the-tests"
PASSWORD = "correct horse"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
URL = "shelf://reader:s3cr3t-one@attic/books"


@pytest.fixture
def guarded(make_client: MakeClient) -> TestClient:
    client = make_client(auth_token=TOKEN, admin_password=PASSWORD)
    client.headers.update(BEARER)
    return client


@pytest.fixture
def saved(guarded: TestClient) -> dict[str, Any]:
    """A job `orders` on a connection `attic`; the job."""
    attic = {"id": "attic", "type": "shelf", "url": URL, "password": "s3cr3t-two"}
    assert guarded.post("/api/connections", json=attic).status_code == 201
    draft = {"id": "orders", "source": "attic", "destination": "attic", "streams": [{"name": "main/books"}]}
    job: dict[str, Any] = guarded.post("/api/jobs", json=draft).json()
    return job


def records(client: TestClient, **query: str) -> list[dict[str, Any]]:
    answer = client.get("/api/audit", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def name_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def test_every_route_that_changes_something_leaves_a_record(
    guarded: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its handler does: one that forgets, or is written tomorrow, is in it too."""
    done = []
    for operation in ROUTES:
        if operation.method == "GET" or operation.harmless:
            continue
        store.database["audit"].delete_many({})
        body = {"/api/login": {"password": PASSWORD}, "/api/tokens": {"name": "x", "scope": "read"}}.get(operation.path)
        if body is None:
            # What the deed itself needs is tested where the deed is; here it is done and says nothing.
            quiet = replace(operation, handler=_silent(operation), body=None)
            monkeypatch.setitem(_endpoints(guarded)[operation.path], operation.method, quiet)
        path = re.sub(r"\{\w+(:\w+)?\}", "x", operation.path)
        answer = guarded.request(operation.method, path, json=body, headers={"If-Match": "*"})
        assert answer.status_code < 400, (name_of(operation), answer.text)
        found = list(store.database["audit"].find())
        assert [one["action"] for one in found] == [operation.action], name_of(operation)
        assert found[0]["who"] in ("AUTH_TOKEN", "admin") and found[0]["request_id"] == answer.headers["x-request-id"]
        done.append(operation.action)
    assert len(done) >= 15 and {"job.update", "run.cancel", "token.create", "connection.delete", "login"} <= set(done)


def _silent(operation: Operation) -> Any:
    from starlette.responses import Response

    def handler(_: Any) -> Response:
        return Response(status_code=204)

    handler.__name__, handler.__module__ = operation.handler.__name__, operation.handler.__module__
    return handler


def _endpoints(client: TestClient) -> dict[str, dict[str, Operation]]:
    return {route.path: route.endpoint._operations for route in client.app.routes if hasattr(route, "endpoint")}  # type: ignore[attr-defined]


def test_only_what_changes_nothing_is_called_harmless() -> None:
    assert [name_of(one) for one in ROUTES if one.harmless and one.path.endswith("/preview")]
    assert all(one.method == "POST" for one in ROUTES if one.harmless)


def test_a_change_of_a_job_is_told_before_and_after(guarded: TestClient, saved: dict[str, Any]) -> None:
    guarded.patch("/api/jobs/orders", json={"timeout": "2h"}, headers={"If-Match": "*", "X-Request-Id": "from-me"})
    guarded.post("/api/jobs/orders/disable")
    guarded.delete("/api/jobs/orders", headers={"If-Match": "*"})
    gone, disabled, changed, made = records(guarded, subject="jobs/orders")
    assert [made["action"], made["before"], made["after"]["source"]] == ["job.create", None, "attic"]
    assert [changed["action"], changed["before"], changed["after"]] == ["job.update", {}, {"timeout": "2h"}]
    assert [disabled["before"], disabled["after"]] == [{"enabled": True}, {"enabled": False}]
    assert [gone["action"], gone["before"]["timeout"], gone["after"]] == ["job.delete", "2h", None]
    assert [changed[name] for name in ("who", "how", "scope", "via", "from", "request_id")] == [
        *("AUTH_TOKEN", "token", "admin", "api", "testclient", "from-me")
    ]
    assert changed["at"].endswith("Z")


def test_a_secret_that_changed_is_only_called_so(guarded: TestClient, saved: dict[str, Any], store: Store) -> None:
    for change in ({"password": "s3cr3t-three"}, {"url": URL.replace("one", "four")}, {"room": "cellar"}):
        answer = guarded.patch("/api/connections/attic", json=change, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text
    room, url, password, made = records(guarded, subject="connections/attic")
    assert password["after"] == {"password": "changed"}
    assert url["after"] == {"url": "shelf://reader:********@attic/books (changed)"}
    assert room["before"] == {"room": "attic"} or room["before"] == {}
    assert room["after"] == {"room": "cellar"}
    assert made["after"]["password"] == "********" and made["after"]["url"] == "shelf://reader:********@attic/books"
    assert "s3cr3t" not in str(list(store.database["audit"].find()))


def test_what_was_refused_leaves_none(guarded: TestClient, saved: dict[str, Any], store: Store) -> None:
    before = store.database["audit"].count_documents({})
    guarded.patch("/api/jobs/orders", json={"timeout": "soon"}, headers={"If-Match": "*"})
    guarded.patch("/api/jobs/orders", json={"timeout": "2h"}, headers={"If-Match": '"77"'})
    guarded.post("/api/jobs/none/run")
    guarded.post("/api/jobs", json={"id": "orders"}, headers={"Authorization": "Bearer wrong"})
    assert store.database["audit"].count_documents({}) == before


def test_logins_are_recorded_and_failed_ones_too(guarded: TestClient) -> None:
    guarded.post("/api/login", json={"password": "s3cr3t-guess", "user": "root"})
    guarded.post("/api/login", json={"password": PASSWORD})
    guarded.post("/api/logout")
    found = [(one["action"], one["who"], one["subject"]) for one in records(guarded, subject="accounts")]
    assert found[-1:] == [("login.failed", "unknown", "accounts/unknown")], "not the name: it may be a password"
    assert ("login", "admin", "accounts/admin") in found
    assert "s3cr3t" not in str(records(guarded)) and "root" not in str(records(guarded))


def test_deeds_on_runs_name_their_job(guarded: TestClient, saved: dict[str, Any], store: Store) -> None:
    run = store.runs.create("orders", Trigger.MANUAL)
    guarded.post(f"/api/runs/{run['_id']}/cancel")
    record = records(guarded, action="run.cancel")[0]
    assert record["subject"] == f"runs/{run['_id']}"
    assert record["after"] == {"run": run["_id"], "job": "orders", "state": "cancelled"}


def test_records_are_found_by_subject_who_deed_and_time(guarded: TestClient, saved: dict[str, Any]) -> None:
    assert [one["subject"] for one in records(guarded, subject="jobs")] == ["jobs/orders"]
    assert records(guarded, subject="job") == [] and records(guarded, subject="jobs/order") == []
    assert records(guarded, subject=".*") == [] and records(guarded, who="nobody") == []
    assert [one["action"] for one in records(guarded, action="connection")] == ["connection.create"]
    assert records(guarded, since="2999-01-01T00:00:00Z") == []
    assert len(records(guarded, who="AUTH_TOKEN")) == 2


def test_records_come_by_page(guarded: TestClient, saved: dict[str, Any]) -> None:
    for number in range(5):
        guarded.post("/api/jobs/orders/" + ("enable" if number % 2 else "disable"))
    seen: list[str] = []
    after = ""
    while True:
        page = guarded.get("/api/audit", params={"limit": "2", "after": after}).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(seen) == len(set(seen)) == 7 and seen == [one["id"] for one in records(guarded)]
    assert guarded.get("/api/audit?after=none").status_code == 422


def test_readers_see_what_became_of_jobs_but_not_who_logged_in(guarded: TestClient, store: Store) -> None:
    guarded.post("/api/login", json={"password": PASSWORD})
    guarded.post("/api/tokens", json={"name": "x", "scope": "read"})
    guarded.post("/api/connections", json={"id": "attic", "type": "shelf", "url": URL})
    _, token = store.tokens.create("reader", Scope.READ, None, "the tests")
    guarded.headers["Authorization"] = f"Bearer {token}"
    guarded.cookies.clear()
    assert [one["action"] for one in records(guarded)] == ["connection.create"]
    assert records(guarded, subject="tokens") == [] and records(guarded, action="login") == []


def test_nothing_over_http_changes_a_record(guarded: TestClient, saved: dict[str, Any]) -> None:
    record = records(guarded)[0]["id"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/api/audit", f"/api/audit/{record}"):
            assert guarded.request(method, path, json={}, headers={"If-Match": "*"}).status_code in (404, 405)


def test_a_deed_stands_where_its_record_cannot_be_kept_and_the_log_has_it(
    guarded: TestClient, saved: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("MongoDB does not answer")

    monkeypatch.setattr("pymongo.collection.Collection.update_one", away)
    with caplog.at_level(logging.ERROR):
        assert guarded.post("/api/jobs/orders/disable").status_code == 200
    assert '"action": "job.disable"' in caplog.text and '"who": "AUTH_TOKEN"' in caplog.text


def test_a_tokens_deeds_carry_its_id(guarded: TestClient, saved: dict[str, Any], store: Store) -> None:
    """Names are not unique; the id is."""
    made, token = store.tokens.create("admin", Scope.OPERATE, None, "the tests")
    guarded.post("/api/jobs/orders/disable", headers={"Authorization": f"Bearer {token}"})
    record = records(guarded, action="job.disable")[0]
    assert (record["who"], record["how"], record["token"], record["scope"]) == (
        "admin",
        "token",
        made["_id"],
        "operate",
    )
