"""The real program tells a real receiver what happens to its jobs, also where it dies in the middle of that."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.journeys.test_bad_jobs import KEY, Stage, stage  # noqa: F401
from tests.program import Program
from tests.receiver import Receiver, receiving, verified
from tests.waiting import until
from worker.alert import Alert
from worker.job import StreamSpec, Write
from worker.store.client import Document
from worker.vault import Vault

pytestmark = pytest.mark.journey
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def events(stage: Stage) -> list[Document]:  # noqa: F811
    return list(stage.store.database["alert_events"].find().sort([("at", 1), ("_id", 1)]))


def started(stage: Stage, *arguments: str, **more: str) -> Program:  # noqa: F811
    env = {"ALLOW_NETWORKS": "127.0.0.0/8", "PUBLIC_URL": "https://sync.example.com/", "LEASE_TTL": "2"} | more
    return stage.program(*arguments, ready="worker" not in arguments, **env)


def alert(stage: Stage, receiver: Receiver, **more: object) -> None:  # noqa: F811
    made = replace(Alert(id="chat", url="${CHAT_URL}", secret=SIGNING), **more)  # type: ignore[arg-type]
    stage.store.alerts(Vault([KEY])).insert(made)


def source(stage: Stage, sql: str) -> None:  # noqa: F811
    with sqlite3.connect(stage.folder / "shop.db") as database:
        database.execute(sql)
    database.close()


def test_a_failure_its_end_and_a_held_mirror_are_told_once_each(stage: Stage, receiver: Receiver) -> None:  # noqa: F811
    alert(stage, receiver, failures=2)
    stage.job("orders", stream="orders", attempts=1)
    stage.job("mirror", stream="items", attempts=1)
    mirror = StreamSpec(name="items", write=Write.MIRROR, key=("id",))
    stage.store.jobs.replace(replace(stage.store.jobs.get("mirror"), streams=(mirror,)))
    program = started(stage, CHAT_URL=receiver.url)
    stage.ended(stage.run("mirror"))
    for _ in range(3):
        assert stage.ended(stage.run("orders"))["state"] == "failed"
    until(lambda: receiver.got, "the failure was told")
    source(stage, "CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    source(stage, "INSERT INTO orders VALUES (1)")
    assert stage.ended(stage.run("orders"))["state"] == "succeeded"
    source(stage, "DELETE FROM items WHERE id > 5")
    held = stage.run("mirror")
    until(lambda: stage.store.runs.get(held)["state"] == "held", "the mirror is held")
    until(lambda: len(events(stage)) == 3, "three things happened")
    until(lambda: stage.store.alert_events.waiting() == 0, "all of it was told")
    told = [event for message in receiver.got for event in message.json["data"]["events"]]
    assert sorted((one["job"], one["kind"]) for one in told) == [
        ("mirror", "held"),
        ("orders", "failing"),
        ("orders", "recovered"),
    ]
    by_kind = {one["kind"]: one for one in told}
    assert by_kind["failing"]["text"].startswith("orders failed 2 times in a row, first at ")
    assert by_kind["failing"]["error"]["type"] == "StreamNotFound"
    assert by_kind["recovered"]["text"] == "orders is in step again after 3 failures"
    assert by_kind["held"]["run_link"] == f"https://sync.example.com/runs/{held}"
    assert "approve or discard" in by_kind["held"]["text"]
    assert all(verified(message, SIGNING) for message in receiver.got)
    assert SIGNING not in program.output and receiver.url not in program.output


def test_who_leads_dies_between_the_failure_and_the_message(stage: Stage, receiver: Receiver) -> None:  # noqa: F811
    """Killed once as soon as the run has failed, and once while the receiver has the message and has not answered."""
    alert(stage, receiver)
    stage.job("orders", stream="orders", attempts=1)
    receiver.answer = receiver.hanging
    run_id = stage.run("orders")
    first = started(stage, "-m", "worker", CHAT_URL=receiver.url)
    stage.ended(run_id)
    first.kill()
    second = started(stage, "-m", "worker", CHAT_URL=receiver.url)
    until(lambda: receiver.got, "the message is on its way")
    second.kill()
    (event,) = events(stage)
    assert (event["state"], event["run_id"]) == ("waiting", run_id)
    # The claim of the dead is over.
    past = stage.store.now() - timedelta(hours=1)
    stage.store.database["alerts"].update_many({}, {"$set": {"sending.until": past, "not_before": None}})
    before = len(receiver.got)
    receiver.answer = receiver.answering_well
    receiver.released.set()
    started(stage, "-m", "worker", CHAT_URL=receiver.url)
    until(lambda: stage.store.alert_events.waiting() == 0, "it was told")
    assert [one["_id"] for one in events(stage)] == [event["_id"]]
    assert len(receiver.got) > before
    assert {message.id for message in receiver.got} == {event["group"]}
    assert {tuple(message.told) for message in receiver.got} == {(("orders", "failing"),)}
    assert all(verified(message, SIGNING) for message in receiver.got)


def test_a_receiver_that_is_away_is_told_when_it_is_back(stage: Stage) -> None:  # noqa: F811
    with receiving() as receiver:
        port = receiver.port
    alert(stage, receiver, url=f"http://127.0.0.1:{port}/in")
    stage.job("orders", stream="orders", attempts=1)
    program = started(stage)
    stage.ended(stage.run("orders"))

    def refused() -> Document | None:
        state = stage.store.alerts(Vault([KEY])).states()["chat"]
        return state if state["tries"] else None

    state = until(refused, "it was tried in vain")
    assert "127.0.0.1 cannot be reached" in state["last_error"] and state["waiting"] == 1
    with receiving(port) as receiver:
        stage.store.database["alerts"].update_many({}, {"$set": {"not_before": None}})
        until(lambda: receiver.got, "it was told")
        assert receiver.got[0].told == [("orders", "failing")]
    assert program.terminate() == 0
