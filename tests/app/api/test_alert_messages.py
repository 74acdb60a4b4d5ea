"""Messages of alerts over the API: tried on their real way, and what was told, newest first."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.receiver import Receiver, answering, receiving, verified
from worker.alert import Kind
from worker.store import Store
from worker.store.alert_events import new_event

PATH = "/services/T024/B0/uyJx3rtmWqzKpdv8"
SECRET = "a secret that signs, geheim"
DRAFT = {"id": "chat", "secret": SECRET, "failures": 3}
FIRST = {"If-Match": '"1"'}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def faults(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [f"{fault['field']} {fault['message']}" for fault in answer.json()["errors"]]


def test_a_test_is_a_signed_message_on_the_real_way(client: TestClient, receiver: Receiver) -> None:
    client.post("/api/alerts", json=DRAFT | {"url": receiver.url})
    said = client.post("/api/alerts/chat/test").json()
    assert (said["ok"], said["status"]) == (True, 200) and said["ms"] >= 0
    (message,) = receiver.got
    assert message.json["type"] == "test" and message.json["data"]["alert"] == "chat"
    assert verified(message, SECRET)


def test_the_signature_is_verified_by_the_words_of_the_documentation(client: TestClient, receiver: Receiver) -> None:
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for secret in (SECRET, "whsec_" + base64.b64encode(bytes(range(32))).decode()):
        draft = {"url": receiver.url, "secret": secret}
        assert client.post("/api/alerts/test", json=draft).json()["ok"] is True
        message = receiver.got[-1]
        for given, good in ((message.body, True), (message.body + b" ", False)):
            names: dict[str, Any] = {"secret": secret, "headers": message.headers, "body": given}
            exec(code, names)
            assert (names["good"], names["fresh"]) == (good, True)


def test_a_test_that_does_not_arrive_says_why_and_shows_no_path(client: TestClient, receiver: Receiver) -> None:
    receiver.answer = answering(500, b"geheim")
    client.post("/api/alerts", json=DRAFT | {"url": receiver.url + PATH})
    answer = client.post("/api/alerts/chat/test")
    assert (answer.json()["ok"], answer.json()["status"]) == (False, 500) and "500" in answer.json()["message"]
    assert "uyJx3" not in answer.text
    client.post("/api/alerts", json={"id": "unset", "url": "${NOT_SET_ANYWHERE}"})
    said = client.post("/api/alerts/unset/test").json()
    assert said["ok"] is False and said["status"] is None and "${NOT_SET_ANYWHERE}" in said["message"]
    client.post("/api/alerts", json={"id": "metadata", "url": "http://169.254.169.254/latest"})
    said = client.post("/api/alerts/metadata/test").json()
    assert said["ok"] is False and "metadata" in said["message"]
    assert client.post("/api/alerts/none/test").status_code == 404


def test_a_draft_is_tried_before_it_is_saved(client: TestClient, receiver: Receiver, store: Store) -> None:
    said = client.post("/api/alerts/test", json={"url": receiver.url, "format": "slack"}).json()
    assert said["ok"] is True and set(receiver.got[0].json) == {"text"}
    assert faults(client.post("/api/alerts/test", json={"url": "ftp://h"}))
    assert faults(client.post("/api/alerts/test", json={"url": receiver.url, "id": 7})) == ["id is not a text"]
    assert store.database["alerts"].count_documents({}) == 0
    client.post("/api/alerts", json=DRAFT | {"url": receiver.url})
    assert client.post("/api/alerts/test", json={"id": "chat", "failures": 9}).json()["ok"] is True
    assert verified(receiver.got[-1], SECRET)
    assert client.get("/api/alerts/chat").json()["failures"] == 3


def test_an_alert_may_be_named_test(client: TestClient, receiver: Receiver) -> None:
    assert client.post("/api/alerts", json=DRAFT | {"id": "test", "url": receiver.url}).status_code == 201
    assert client.get("/api/alerts/test").json()["id"] == "test"
    assert client.post("/api/alerts/test/test").json()["ok"] is True
    assert client.request("DELETE", "/api/alerts/test", headers=FIRST).status_code == 204


def test_what_was_told_comes_newest_first_by_page(client: TestClient, receiver: Receiver, store: Store) -> None:
    client.post("/api/alerts", json=DRAFT | {"url": receiver.url})
    now = store.now()
    events = [
        new_event("chat", "orders", Kind.HELD, f"r{number}", at=now, text=f"number {number}") for number in range(5)
    ]
    store.alert_events.add([*events, new_event("other", "orders", Kind.HELD, "r9", at=now)])
    store.database["alerts"].update_one(
        {"_id": "chat"}, {"$set": {"tries": 2, "not_before": now, "last_error": "no answer", "last_error_at": now}}
    )
    store.database["alert_events"].update_one({"text": "number 2"}, {"$set": {"state": "broken by hand"}})
    seen: list[dict[str, Any]] = []
    after = ""
    while True:
        page = client.get("/api/alerts/chat/events", params={"limit": "2", "after": after}).json()
        seen += page["items"]
        if page["next"] is None:
            break
        after = page["next"]
    assert [one["text"] for one in seen] == [f"number {number}" for number in (4, 3, 1, 0)]
    assert seen[0]["state"] == "waiting" and seen[0]["kind"] == "held" and seen[0]["job_id"] == "orders"
    assert faults(client.get("/api/alerts/chat/events?after=nothing")) == ["after is 'nothing'; there is no such event"]
    assert client.get("/api/alerts/none/events").status_code == 404
    delivery = client.get("/api/alerts/chat").json()["delivery"]
    assert (delivery["waiting"], delivery["last_error"]) == (4, "no answer") and delivery["next_try_at"]
