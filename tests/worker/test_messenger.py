"""Messages arrive at least once, few for many events, whatever the receiver and whoever sends does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.receiver import Receiver, answering, receiving, verified
from tests.waiting import until
from tests.worker.office import HOUR, LOOPBACK, Office
from tests.worker.watch_post import Post
from worker import messenger, metrics
from worker.alert import Alert, Format
from worker.messenger import try_alert
from worker.networks import Networks
from worker.store import Store

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messenger, "QUIET_SECONDS", 0.0)


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def test_what_waits_is_sent_once_in_one_message(office: Office, receiver: Receiver) -> None:
    office.alert(receiver.url, secret=KEY)
    for job in ("a", "b", "c"):
        office.event(job)
    office.send()
    office.send()
    (message,) = receiver.got
    assert verified(message, KEY) and message.told == [("a", "failing"), ("b", "failing"), ("c", "failing")]
    assert message.json["data"]["events"][0]["run_link"] == "https://sync.example.com/runs/r"
    assert office.states() == ["sent"] * 3
    state = office.state()
    assert (state["waiting"], state["tries"], state["last_error"]) == (0, 0, None) and state["last_sent_at"]


def test_a_storm_of_a_thousand_failures_is_ten_messages(store: Store, receiver: Receiver) -> None:
    """From the runs on: a thousand jobs fail within a moment."""
    post, office = Post(store), Office(store)
    office.alert(receiver.url)
    at = store.now()
    store.database["runs"].insert_many([post.made("failed", f"job-{number:04}", at=at) for number in range(1_000)])
    post.alerter.turn()
    while store.alert_events.waiting():
        office.send()
    assert [len(message.told) for message in receiver.got] == [100] * 10
    assert len({message.id for message in receiver.got}) == 10
    assert len({job for message in receiver.got for job, _ in message.told}) == 1_000


def test_after_a_message_what_comes_is_gathered(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messenger, "QUIET_SECONDS", 600.0)
    office.alert(receiver.url)
    office.event("a")
    office.send()
    for job in ("b", "c"):
        office.event(job)
        office.send()
    assert len(receiver.got) == 1
    office.store.database["alerts"].update_one({}, {"$set": {"quiet_until": office.store.now()}})
    office.send()
    assert [len(message.told) for message in receiver.got] == [1, 2]


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_a_message_that_is_refused_is_sent_again_as_it_was(office: Office, receiver: Receiver, status: int) -> None:
    office.alert(receiver.url)
    office.event("a")
    receiver.answer = answering(status)
    office.send()
    office.send()  # not before its time
    assert len(receiver.got) == 1
    office.event("b")
    office.hurry()
    office.send()
    receiver.answer = answering(200)
    office.hurry()
    office.send()
    office.send()
    assert [message.told for message in receiver.got] == [[("a", "failing")]] * 3 + [[("b", "failing")]]
    ids = [message.id for message in receiver.got]
    assert len(set(ids[:3])) == 1 and ids[3] != ids[0]
    assert [event["tries"] for event in office.store.alert_events.page("chat")[0]] == [1, 3]


@pytest.mark.parametrize(("status", "ends"), [(400, "given_up"), (422, "given_up"), (404, "waiting"), (500, "waiting")])
def test_a_message_that_is_refused_for_what_it_is_does_not_hold_up_the_next(
    office: Office, receiver: Receiver, status: int, ends: str
) -> None:
    office.alert(receiver.url)
    office.event("a")
    receiver.answer = answering(status)
    for _ in range(messenger.MOST_REFUSALS):
        office.send()
        office.hurry()
    ((event,), _) = office.store.alert_events.page("chat")
    assert event["state"] == ends
    assert ends == "waiting" or event["note"].startswith(f"given up after 8 tries: 127.0.0.1 answered {status}")
    receiver.answer = answering(200)
    office.event("b")
    office.send()
    office.send()
    assert receiver.got[-1].told == [("b", "failing")]


def test_each_failure_waits_longer_and_says_why(office: Office, receiver: Receiver) -> None:
    office.alert(receiver.url)
    office.event()
    receiver.answer = answering(500)
    waits = []
    for tries in range(1, 12):
        office.send()
        state = office.state()
        assert (state["tries"], state["last_error"]) == (tries, "127.0.0.1 answered 500 Internal Server Error")
        waits.append((state["not_before"] - state["last_error_at"]).total_seconds())
        office.hurry()
    assert all(0.9 * delay <= wait <= 1.1 * delay for wait, delay in zip(waits, messenger.DELAYS, strict=False))
    assert 0.9 * 3_600 <= waits[-1] <= 1.1 * 3_600


def test_a_receiver_that_asks_for_time_gets_it(office: Office, receiver: Receiver) -> None:
    office.alert(receiver.url)
    office.event()
    receiver.answer = answering(429, Retry_After="1234")
    office.send()
    state = office.state()
    assert state["not_before"] - state["last_error_at"] == timedelta(seconds=1234)


def test_a_receiver_that_hangs_holds_up_no_other_and_no_loop(office: Office, receiver: Receiver) -> None:
    receiver.answers["/hangs"] = receiver.hanging
    office.alert(receiver.url.replace("/in", "/hangs"), "a-hangs")
    office.alert(receiver.url, "chat")
    office.event(alert="a-hangs")
    office.event(alert="chat")
    office.messenger.turn()
    until(lambda: office.states("chat") == ["sent"], "the other was told")
    office.messenger.turn()  # which comes back at once, and does not send it twice
    office.another("elsewhere").turn()
    until(lambda: [one.path for one in receiver.got].count("/hangs") == 1, "the first hangs")
    assert office.states("a-hangs") == ["waiting"]
    receiver.answers["/hangs"] = answering(200)
    receiver.released.set()
    assert office.messenger.idle(20)
    office.hurry()
    office.send()
    assert office.states("a-hangs") == ["sent"]


def test_many_that_hang_leave_room_for_the_next_turns(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messenger, "AT_ONCE", 3)
    receiver.answer = receiver.hanging
    for number in range(6):
        office.alert(receiver.url, f"a{number}")
        office.event(alert=f"a{number}")
    office.messenger.turn()
    office.messenger.turn()
    until(lambda: len(receiver.got) == 3, "three are on their way")
    receiver.answer = answering(200)
    receiver.released.set()
    assert office.messenger.idle(20)
    office.hurry()
    for _ in range(3):
        office.send()
        office.hurry()
    assert {state["waiting"] for state in office.alerts.states().values()} == {0}


def test_two_instances_send_a_message_once(office: Office, receiver: Receiver) -> None:
    office.alert(receiver.url)
    both = [office.another("a"), office.another("b")]
    for number in range(20):
        office.event(f"job-{number}")
        for one in both:
            one.turn()
    for one in both:
        assert one.idle(20)
        office.send(one)
    told = [job for message in receiver.got for job, _ in message.told]
    assert sorted(told) == sorted({f"job-{number}" for number in range(20)})


def test_one_whose_sender_died_is_sent_by_another_under_the_same_id(office: Office, receiver: Receiver) -> None:
    """It died after the receiver had it, and before it could say so."""
    office.alert(receiver.url)
    office.event()
    dead = office.another("dead")
    document = dead._alerts.claim(["chat"], "dead", 60)
    assert document is not None
    (event,) = office.store.alert_events.gather("chat", "msg_of_the_dead", 100)
    dead._try(document, "msg_of_the_dead", [event])
    office.send()
    assert len(receiver.got) == 1
    office.store.database["alerts"].update_one({}, {"$set": {"sending.until": office.store.now() - HOUR}})
    office.event("other")
    office.send()
    office.send()
    assert [message.id for message in receiver.got][:2] == ["msg_of_the_dead"] * 2
    assert [message.told for message in receiver.got[1:]] == [[("orders", "failing")], [("other", "failing")]]


def test_an_alert_that_is_off_sends_nothing_until_it_is_on(office: Office, receiver: Receiver) -> None:
    saved = office.alert(receiver.url)
    office.event()
    office.alerts.replace(replace(saved, enabled=False))
    office.send()
    assert receiver.got == [] and office.states() == ["waiting"]
    office.alerts.replace(saved)
    office.send()
    assert office.states() == ["sent"]


def test_what_waited_for_a_day_is_given_up_and_says_why(
    office: Office, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    office.alert(receiver.url)
    saved = office.alert(receiver.url, "off")
    office.alerts.replace(replace(saved, enabled=False))
    office.event("a", ago=23 * HOUR)
    receiver.answer = answering(500)
    office.send()
    office.event("b", ago=25 * HOUR)
    office.event("c", alert="off", ago=25 * HOUR)
    office.send(office.another("there"))
    by_job = {event["job_id"]: event for one in ("chat", "off") for event in office.store.alert_events.page(one)[0]}
    assert {job: event["state"] for job, event in by_job.items()} == {
        "a": "waiting",
        "b": "given_up",
        "c": "given_up",
    }
    assert by_job["b"]["note"] == "given up after 24 hours: 127.0.0.1 answered 500 Internal Server Error"
    assert "was off" in by_job["c"]["note"]
    assert office.state()["given_up"] == 1 and "alert chat: 1 event: given up" in caplog.text


def test_a_chat_gets_its_own_form(office: Office, receiver: Receiver) -> None:
    office.alert(receiver.url, format=Format.SLACK)
    office.event()
    office.send()
    assert receiver.got[0].json == {"text": "orders failed <https://sync.example.com/runs/r|run>"}


def test_a_stop_lets_what_is_on_its_way_arrive_and_begins_nothing(office: Office, receiver: Receiver) -> None:
    receiver.answer = receiver.hanging
    office.alert(receiver.url)
    office.event()
    office.messenger.turn()
    until(lambda: receiver.got, "it is on its way")
    office.messenger.stop(0.05)  # it does not wait for ever
    assert not office.messenger.idle(0)
    receiver.answer = answering(200)
    receiver.released.set()
    assert office.messenger.idle(20)
    office.hurry()
    office.send()
    assert len(receiver.got) == 1


def test_a_test_goes_the_way_of_every_message_and_leaves_nothing(office: Office, receiver: Receiver) -> None:
    alert = Alert(id="draft", url="${CHAT}", secret=KEY)
    tried = try_alert(alert, LOOPBACK, None, {"CHAT": receiver.url})
    assert (tried.ok, tried.status) == (True, 200) and tried.ms >= 0
    (message,) = receiver.got
    assert verified(message, KEY) and message.json["type"] == "test" and message.told == []
    assert office.store.alert_events.waiting() == 0
    tried = try_alert(alert, LOOPBACK, None, {})
    assert (tried.ok, tried.status) == (False, None) and "${CHAT}" in tried.message
    tried = try_alert(replace(alert, url=receiver.url), Networks(), None, {})
    assert not tried.ok and "private network" in tried.message


def test_messages_are_counted_by_what_came_of_them(office: Office, receiver: Receiver) -> None:
    def counted(result: str) -> float:
        found = metrics.COUNTERS.registry.get_sample_value("syncworker_alert_messages_total", {"result": result})
        return found or 0.0

    sent, failed = counted("sent"), counted("failed")
    office.alert(receiver.url)
    office.event()
    receiver.answer = answering(500)
    office.send()
    receiver.answer = answering(200)
    office.hurry()
    office.send()
    assert (counted("sent") - sent, counted("failed") - failed) == (1, 1)
