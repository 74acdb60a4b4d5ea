"""What happens to jobs is told beside what is broken, without secrets, and for a handful of questions."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from tests.worker.watch_post import Post
from worker import alerter, redaction
from worker.alert import Alert
from worker.store import Store

HOUR = timedelta(hours=1)


@pytest.fixture
def post(store: Store) -> Post:
    return Post(store)


# What is broken spoils nothing else.


@pytest.mark.parametrize(
    "broken",
    [
        {"sequence": "seven"},
        {"job_id": 7},
        {"error": "text"},
        {"error": {"message": ["a", "list"]}},
        {"finished_at": "yesterday"},
        {"sequence": None},
    ],
)
def test_a_run_that_was_broken_by_hand_keeps_no_other_from_being_told(post: Post, broken: dict[str, Any]) -> None:
    post.alert()
    post.run("failed", "broken", **broken)
    post.run("failed", "orders")
    post.alerter.turn()
    assert ("orders", "failing") in post.told()


@pytest.mark.parametrize("broken", [{"failures": "many"}, {"jobs": {}}, {"enabled_at": 7}, {"url": None}])
def test_an_alert_that_was_broken_by_hand_keeps_no_other_from_telling(
    post: Post, broken: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    post.alert("broken")
    post.alert()
    post.store.database["alerts"].update_one({"_id": "broken"}, {"$set": broken})
    with caplog.at_level(logging.ERROR):
        post.all(["failed", "succeeded", "failed"])
    assert [kind for _, kind in post.told("chat")] == ["failing", "recovered", "failing"]
    assert caplog.text.count("alert 'broken' cannot be read") == (broken != {"url": None})


def test_an_event_that_was_broken_by_hand_keeps_no_other_from_being_told(post: Post) -> None:
    post.alert(stale=60.0)
    post.job("old", as_of=HOUR)
    post.all(["failed"])
    post.store.database["alert_events"].update_many({}, {"$set": {"sequence": "x", "since": "y"}})
    post.all(["failed"], "other")
    assert ("other", "failing") in post.told()


def test_no_secret_of_a_run_gets_into_an_event(post: Post) -> None:
    redaction.register_secret("hunter2hunter2")
    post.alert()
    error = {"type": "X", "message": "no\nlogin\x1b[2J postgres://u:hunter2hunter2@h/ password=geheim", "stream": None}
    post.run("failed", error=error)
    post.alerter.turn()
    (event,) = post.events()
    assert "hunter2" not in str(event) and "geheim" not in str(event) and "\x1b" not in str(event)
    assert event["text"] == "orders failed: no login [2J postgres://u:********@h/ password=********"


# What it costs.


def watched(store: Store) -> None:
    store.database.command("profile", 0)
    store.database["system.profile"].drop()
    store.database.command("profile", 2)


def commands(store: Store) -> int:
    """How many commands reached this test's database since profiling began."""
    counted = {"ns": {"$not": {"$regex": "system.profile"}}, "op": {"$nin": ["getmore"]}}
    return store.database["system.profile"].count_documents(counted)


@pytest.mark.own_database
def test_without_alerts_it_costs_one_look(post: Post) -> None:
    for number in range(20):
        post.run("failed", f"job-{number}")
    watched(post.store)
    post.alerter.turn()
    assert commands(post.store) == 1


@pytest.mark.own_database
def test_a_storm_costs_a_handful_of_questions_and_so_does_its_end(post: Post) -> None:
    post.alert(failures=1, stale=3600.0)
    post.alert("other", failures=3)
    jobs = [f"job-{number:04}" for number in range(1_000)]
    now = post.store.now()
    for state in ("succeeded", "failed", "failed", "failed", "succeeded"):
        post.store.database["runs"].insert_many([post.made(state, job, at=now) for job in jobs])
    watched(post.store)
    while post.alerter.turn() == alerter.SOON:
        pass
    assert len(post.told("chat")) == len(post.told("other")) == 2_000
    assert commands(post.store) < 80
    before = commands(post.store)
    post.alerter.turn()
    assert commands(post.store) - before < 10


@pytest.mark.own_database
def test_the_questions_about_a_row_of_failures_go_over_their_index(post: Post) -> None:
    for number in range(30):
        post.run("failed" if number % 10 else "succeeded", "long")
    post.run("failed", "other")
    store = post.store
    watched(store)
    (last,) = store.database["runs"].find({"job_id": "long"}).sort("sequence", -1).limit(1)
    assert store.outcomes.successes_before([last["_id"]]) == {last["_id"]: 21}
    assert store.outcomes.streaks([last["_id"]])[last["_id"]]["failures"] == 9
    looks = list(store.database["system.profile"].find({"op": "command", "ns": {"$regex": "runs"}}))
    assert [look["docsExamined"] <= 20 for look in looks] == [True, True], looks


def test_events_wake_who_sends_them(store: Store) -> None:
    woken: list[bool] = []
    post = Post(store)
    post.alerter._told = lambda: woken.append(True)
    post.alerts.insert(Alert(id="chat", url="http://127.0.0.1:1/"))
    post.all(["succeeded"])
    assert woken == []
    post.all(["failed", "failed"])
    assert woken == [True]
