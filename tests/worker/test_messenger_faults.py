"""An alert, an event or an address that is no good is told of, tried again, and holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.receiver import Receiver, answering, receiving
from tests.worker.office import Office
from worker import redaction
from worker.store import Store


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://169.254.169.254/latest/meta-data/", "cloud metadata, which is never reached"),
        ("http://10.0.0.7/in", "is in a private network"),
        ("${NOT_SET}", "alerts.chat.url: refers to ${NOT_SET}, which is not set in the environment"),
        ("file:/etc/passwd", "refers to file:/etc/passwd, which is not in"),
    ],
)
def test_what_may_not_be_reached_is_told_and_tried_again_like_any_failure(office: Office, url: str, said: str) -> None:
    office.alert(url)
    office.event()
    office.send()
    state = office.state()
    assert said in state["last_error"] and state["tries"] == 1 and state["not_before"] > office.store.now()
    office.hurry()
    office.send()
    assert office.state()["tries"] == 2 and office.states() == ["waiting"]


@pytest.mark.parametrize("broken", [{"format": "pigeon"}, {"url": None}, {"jobs": 7}, {"url.sealed.key": "gone"}])
def test_an_alert_that_was_broken_by_hand_says_so_and_holds_up_no_other(
    office: Office, receiver: Receiver, broken: dict[str, Any]
) -> None:
    office.alert(receiver.url, "a-broken")
    office.alert(receiver.url)
    office.event(alert="a-broken")
    office.event()
    office.store.database["alerts"].update_one({"_id": "a-broken"}, {"$set": broken})
    office.send()
    assert office.states() == ["sent"] and office.states("a-broken") == ["waiting"]
    assert office.state("a-broken")["last_error"] and office.state("a-broken")["tries"] == 1


def test_an_event_that_was_broken_by_hand_is_sent_as_far_as_it_goes(office: Office, receiver: Receiver) -> None:
    office.alert(receiver.url)
    office.event("a")
    office.event("b")
    broken = {"kind": 7, "text": None, "since": {"a": 1}, "run_id": None, "error": "text"}
    office.store.database["alert_events"].update_one({"job_id": "a"}, {"$set": broken})
    office.send()
    assert office.states() == ["sent", "sent"] and len(receiver.got[0].told) == 2


def test_no_secret_is_kept_or_logged_when_a_message_fails(
    office: Office, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "B0123456789abcdefghijkl"
    office.alert(f"{receiver.url}/{secret}?token=hunter2hunter2", secret="sign with this one")
    office.event()
    caplog.set_level(logging.DEBUG)
    said = f"no hook /in/{secret}?token=hunter2hunter2 sign with this one".encode()
    for answer in (answering(403, said, Content_Type="text/plain"), receiver.hanging, answering(200)):
        receiver.answer = answer
        receiver.released.set()
        office.hurry()
        office.send()
    stored = [*office.store.database["alerts"].find(), *office.store.database["alert_events"].find()]
    told = redaction.redact(caplog.text) + str(stored) + str([message.json for message in receiver.got])
    for word in (secret, "hunter2", "sign with"):
        assert word not in told
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("worker")]
    assert ours and not any(secret in line or "hunter2" in line for line in ours)
