"""Looking into a connection ends in time, whatever the other end does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api import discovery
from tests.app.api.shelf import ShelfSource


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    opened = threading.Event()
    monkeypatch.setattr(discovery, "PATIENCE", 0.5)
    yield opened
    opened.set()


@pytest.mark.parametrize("hangs", ["read", "describe", "streams"])
def test_a_source_that_hangs_is_a_502_and_not_waited_for(
    client: TestClient, job: dict[str, Any], gate: threading.Event, monkeypatch: pytest.MonkeyPatch, hangs: str
) -> None:
    def hang(*_: Any) -> Any:
        gate.wait(30)
        raise RuntimeError("too late")

    def hang_at_first(*_: Any) -> Iterator[Any]:
        yield hang()

    monkeypatch.setattr(ShelfSource, hangs, hang_at_first if hangs == "read" else hang)
    path = "streams" if hangs == "streams" else "streams/main/books/preview"
    answer = client.get(f"/api/connections/attic/{path}")
    assert answer.status_code == 502 and "no answer within 0.5 s" in answer.json()["detail"]


def test_a_preview_is_at_most_a_hundred_rows(client: TestClient, job: dict[str, Any]) -> None:
    preview = "/api/connections/attic/streams/main/books/preview"
    assert len(client.get(f"{preview}?limit=100").json()["rows"]) == 100
    assert client.get(f"{preview}?limit=101").status_code == 422
