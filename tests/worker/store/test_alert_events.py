"""The outbox of alerts: nothing twice, messages that stay what they are, and no query without an index."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from worker.alert import Kind
from worker.errors import NotFound
from worker.store import Store
from worker.store.alert_events import AlertEvents, new_event
from worker.store.client import Document

HOUR = timedelta(hours=1)


@pytest.fixture
def events(store: Store) -> AlertEvents:
    return store.alert_events


def made(store: Store, count: int, alert: str = "chat", kind: Kind = Kind.FAILING) -> list[Document]:
    """So many events of as many jobs, the first the oldest."""
    now = store.now()
    return [
        new_event(alert, f"job-{number:04}", kind, "r", at=now + timedelta(milliseconds=number - count))
        for number in range(count)
    ]


def test_an_event_is_written_once(store: Store, events: AlertEvents) -> None:
    some = made(store, 2_500)
    assert events.add(some[:1]) == 1
    assert events.add(some) == 2_499
    assert events.add(some) == 0
    assert events.waiting() == 2_500


def test_a_written_event_is_not_changed_by_writing_it_again(store: Store, events: AlertEvents) -> None:
    (event,) = made(store, 1)
    events.add([event])
    events.gather("chat", "m1", 100)
    events.sent("m1")
    events.close([event["_id"]])
    events.add([event])
    (stored,), _ = events.page("chat")
    assert (stored["state"], stored["open"], stored["group"]) == ("sent", False, "m1")


def test_all_that_waits_goes_into_messages_that_stay_what_they_are(store: Store, events: AlertEvents) -> None:
    some = made(store, 250)
    events.add(some + made(store, 5, alert="other"))
    first = events.gather("chat", "m1", 100)
    assert [event["_id"] for event in first] == [event["_id"] for event in some[:100]]
    assert events.gather("chat", "m2", 100) == first  # it did not arrive: the same again, under its id
    events.unsent("m1")
    assert {event["tries"] for event in events.gather("chat", "m2", 100)} == {1}
    events.sent("m1")
    sizes: list[int] = []
    while group := events.gather("chat", f"m{len(sizes) + 2}", 100):
        sizes.append(len(group))
        events.sent(group[0]["group"])
    assert sizes == [100, 50]
    assert events.alerts_waiting() == ["other"]
    newest, after = events.page("chat", 100)
    assert [event["job_id"] for event in newest[:2]] == ["job-0249", "job-0248"]
    assert all(event["sent_at"] and event["tries"] == 1 for event in newest)
    rest, end = events.page("chat", 200, after)
    assert len(rest) == 150 and end is None
    with pytest.raises(NotFound):
        events.page("other", 10, after)


def test_what_nobody_could_send_is_given_up_and_said(store: Store, events: AlertEvents) -> None:
    late, new = made(store, 2)
    events.add([late | {"at": store.now() - 25 * HOUR}, new])
    assert events.overdue(24 * HOUR, store.now()) == ["chat"]
    assert events.give_up("chat", 24 * HOUR, store.now(), "it answered 500") == 1
    assert events.overdue(24 * HOUR, store.now()) == []
    (newer, older), _ = events.page("chat")
    assert (newer["state"], older["state"], older["note"]) == ("waiting", "given_up", "it answered 500")
    assert [event["_id"] for event in events.gather("chat", "m1", 100)] == [new["_id"]]


def test_one_that_was_given_up_on_its_way_arrived(store: Store, events: AlertEvents) -> None:
    (event,) = made(store, 1)
    events.add([event])
    events.gather("chat", "m1", 100)
    events.give_up("chat", timedelta(), store.now() + HOUR, "too late")
    events.sent("m1")
    ((stored,), _) = events.page("chat")
    assert (stored["state"], stored["note"]) == ("sent", None)


def test_what_has_not_ended_is_open(store: Store, events: AlertEvents) -> None:
    failing, other = made(store, 2)
    events.add([failing, other, *made(store, 1, kind=Kind.HELD), *made(store, 1, kind=Kind.STALE)])
    assert [event["_id"] for event in events.open(Kind.FAILING)] == [failing["_id"], other["_id"]]
    events.close([failing["_id"]])
    assert events.open(Kind.FAILING, ["job-0000"]) == []
    assert [event["kind"] for event in events.open(Kind.STALE)] == ["stale"]


def test_who_is_behind_moves_nothing_back(store: Store, events: AlertEvents) -> None:
    now = store.now()
    assert events.looked_at() is None
    events.look_on(now)
    events.look_on(now - HOUR)
    assert events.looked_at() == now


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"state": "waiting"}, "unsent"),
        ({"group": "m1", "state": {"$ne": "sent"}}, "messages"),
        ({"kind": "failing", "open": True, "job_id": {"$in": ["a"]}}, "open"),
        ({"kind": "stale", "open": True}, "open"),
    ],
)
def test_each_query_has_its_index(store: Store, events: AlertEvents, query: dict[str, Any], index: str) -> None:
    events.add(made(store, 50))
    plan = store.database["alert_events"].find(query).explain()["queryPlanner"]["winningPlan"]
    assert f"'{index}'" in str(plan)
