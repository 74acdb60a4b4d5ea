"""A schedule is tried before it is saved."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

URL = "/api/schedules/preview"


def test_a_preview_tells_times_and_words(offline: TestClient) -> None:
    body = {"cron": "30 2 * * *", "timezone": "Europe/Paris", "after": "2026-03-28T12:00:00Z", "count": 2}
    said = offline.post(URL, json=body).json()
    assert len(said["fire_times"]) == 2 and said["words"]
    assert said["fire_times"][0] == "2026-03-29T01:00:00Z"  # 02:30 does not exist: clocks go forward
    assert [note["fire_time"] for note in said["notes"]] == ["2026-03-29T01:00:00Z"]


def test_an_interval_fires_at_whole_multiples(offline: TestClient) -> None:
    said = offline.post(URL, json={"every": "15m", "after": "2026-01-01T00:00:00+00:00", "count": 2}).json()
    assert said["fire_times"] == ["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]


def test_now_is_the_database_servers(client: TestClient) -> None:
    assert len(client.post(URL, json={"every": "1h"}).json()["fire_times"]) == 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"cron": "nonsense"}, "cron"),
        ({"every": "soon"}, "every"),
        ({"every": "1h", "timezone": "Mars/Olympus"}, "timezone"),
        ({"every": "1h", "count": 0}, "count"),
        ({"every": "1h", "after": "yesterday"}, "after"),
        ({"every": "1h", "after": "9999-12-31T23:59:59Z"}, "after"),
        ({}, ""),
        ({"every": "1h", "cron": "* * * * *"}, ""),
    ],
)
def test_every_mistake_is_named(offline: TestClient, body: dict[str, Any], field: str) -> None:
    answer = offline.post(URL, json=body | ({} if "after" in body else {"after": "2026-01-01T00:00:00Z"}))
    assert answer.status_code == 422, answer.text
    assert field in [fault["field"] for fault in answer.json()["errors"]]
