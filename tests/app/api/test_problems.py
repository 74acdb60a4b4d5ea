"""Every refusal is a problem document that names what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api import problems
from app.api.problems import status_of
from worker import errors

URL = "/api/schedules/preview"
JSON = {"Content-Type": "application/json"}


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["status"] == status and said["title"] and said["type"]
    return said


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("{", 400), ("", 422), ("null", 422), ("[]", 422), ('"x"', 422), ("NaN", 400), ('{"after": 1e999}', 400),
        (nested(32), 422), (nested(33), 400), (nested(100_000), 400), (b"\xff\xfe", 400), ('{"cron": "\\ud800"}', 400),
        ('{"cron": "a\\u0000"}', 400), ('{"count": 9223372036854775808}', 400), ("1" * 5000, 400),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_used_is_refused(offline: TestClient, content: str | bytes, status: int) -> None:
    problem(offline.post(URL, content=content, headers=JSON), status)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_a_body_of_another_type_is_refused(offline: TestClient, media_type: str) -> None:
    problem(offline.post(URL, content=b"{}", headers={"Content-Type": media_type}), 415)


def test_a_type_may_have_parameters(offline: TestClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    body = json.dumps({"every": "1h", "after": "2026-01-01T00:00:00Z"})
    assert offline.post(URL, content=body, headers=headers).status_code == 200


def test_a_body_above_a_megabyte_is_refused(offline: TestClient) -> None:
    problem(offline.post(URL, content=b" " * 1_048_577, headers=JSON), 413)
    parts = (b" " * 65_536 for _ in range(17))  # no length is declared
    problem(offline.post(URL, content=parts, headers=JSON), 413)


def test_unknown_fields_and_parameters_are_named(offline: TestClient) -> None:
    said = problem(offline.post(URL, json={"every": "1h", "zone": "UTC"}), 422)
    assert [fault["field"] for fault in said["errors"]] == ["zone"]
    said = problem(offline.get("/api/runs?stat=failed&limit=5"), 422)
    assert [fault["field"] for fault in said["errors"]] == ["stat"]
    said = problem(offline.get("/api/runs?since=0001-01-01T00:00:00%2B14:00"), 422)
    assert [fault["field"] for fault in said["errors"]] == ["since"]
    said = problem(offline.get("/api/jobs?limit=0"), 422)
    assert [fault["field"] for fault in said["errors"]] == ["limit"]
    said = problem(offline.get("/api/jobs?after=a&after=b"), 422)
    assert [fault["field"] for fault in said["errors"]] == ["after"]


def test_an_empty_parameter_counts_as_left_out(client: TestClient) -> None:
    assert client.get("/api/runs?job=&state=&since=").status_code == 200


def test_what_is_not_there_is_not_found(client: TestClient) -> None:
    for path in ("/api/nothing", "/api/jobs/nothing", "/api/runs/nothing", "/api/runs/nothing/logs"):
        problem(client.get(path), 404)


def test_a_method_that_is_not_served_is_told_which_are(offline: TestClient) -> None:
    answer = offline.put("/api/jobs", json={})
    problem(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_an_error_nobody_foresaw_says_nothing_of_the_inside(
    offline: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.store.connections.Connections.list", lambda *_, **__: 1 / 0)
    assert "division" not in json.dumps(problem(offline.get("/api/connections"), 500))


def test_without_a_database_the_api_answers_503(offline: TestClient) -> None:
    answer = offline.get("/api/jobs")
    problem(answer, 503)
    assert "retry-after" in answer.headers
    ready = offline.get("/readyz")
    assert ready.status_code == 503 and ready.json()["reasons"]
    assert offline.get("/healthz").status_code == 200
    assert "syncworker_database_up 0" in offline.get("/metrics").text


def test_every_family_of_errors_has_a_status() -> None:
    made: list[tuple[errors.SyncworkerError, int]] = [
        (errors.StoreUnavailable("x"), 503),
        (errors.StaleRevision("x", current=1), 412),
        (errors.JobActive("x"), 409),
        (errors.NotFound("x"), 404),
        (errors.MissingExtra("x"), 422),
        (errors.SourceUnavailable("x"), 502),
    ]
    assert [status_of(error) for error, _ in made] == [status for _, status in made]
    assert problems.STATUS[-1][0] is errors.SyncworkerError
