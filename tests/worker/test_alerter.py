"""What happens to jobs is told once, whoever leads, and costs the database little."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.worker.watch_post import VAULT, Post
from worker import alerter
from worker.lease import Lease
from worker.store import Store

HOUR = timedelta(hours=1)


@pytest.fixture
def post(store: Store) -> Post:
    return Post(store)


# Failures and recoveries.


@pytest.mark.parametrize(
    ("failures", "states", "kinds"),
    [
        (1, "F", ["failing"]),
        (1, "FFF", ["failing"]),
        (1, "FS", ["failing", "recovered"]),
        (1, "FSFS", ["failing", "recovered"] * 2),
        (3, "FF", []),
        (3, "FFS", []),
        (3, "FFFS", ["failing", "recovered"]),
        (3, "FFSFF", []),
        (3, "FcFkFmS", ["failing", "recovered"]),  # what was cancelled, skipped or missed neither counts nor breaks
        (1, "SSS", []),
        (None, "FFFS", []),
    ],
)
def test_a_row_of_failures_is_told_once_and_so_is_its_end(
    post: Post, failures: int | None, states: str, kinds: list[str]
) -> None:
    post.alert(failures=failures)
    words = {"F": "failed", "S": "succeeded", "c": "cancelled", "k": "skipped", "m": "missed"}
    post.all([words[one] for one in states])
    assert post.told() == [("orders", kind) for kind in kinds]


def test_what_is_told_says_how_often_since_when_and_why(post: Post) -> None:
    post.alert(failures=3)
    first = post.run("failed", ago=0)
    post.all(["failed"])
    last = post.run("failed")
    post.alerter.turn()
    post.all(["failed", "succeeded"])
    failing, recovered = post.events()
    since = f"{first['finished_at']:%Y-%m-%d %H:%M} UTC"
    assert failing["text"] == f"orders failed 3 times in a row, first at {since}: no such table"
    assert (failing["failures"], failing["since"], failing["run_id"]) == (3, first["finished_at"], last["_id"])
    assert failing["error"] == {"type": "StreamNotFound", "message": "no such table", "stream": "orders"}
    assert recovered["text"] == "orders is in step again after 4 failures"
    assert recovered["failures"] == 4


def test_without_recovery_the_end_is_not_told_and_the_next_failure_is(post: Post) -> None:
    post.alert(recovery=False)
    post.all(["failed", "succeeded", "failed"])
    assert [kind for _, kind in post.told()] == ["failing", "failing"]


def test_failures_before_the_alert_count_but_only_one_after_it_tells(post: Post) -> None:
    for _ in range(5):
        post.run("failed", ago=300)
    post.alert(failures=3)
    post.alerter.turn()
    assert post.told() == []
    post.all(["failed"])
    assert re.match("orders failed 6 times in a row", post.texts()[0])


def test_all_runs_of_one_turn_are_judged_in_their_order(post: Post) -> None:
    post.alert(failures=2)
    for state in ("failed", "failed", "failed", "succeeded", "failed", "succeeded", "failed", "failed"):
        post.run(state)
        post.run("failed", "other")
    post.alerter.turn()
    assert sorted(post.told()) == [
        ("orders", "failing"),
        ("orders", "failing"),
        ("orders", "recovered"),
        ("other", "failing"),
    ]


def test_an_alert_for_some_jobs_tells_of_no_other(post: Post) -> None:
    post.alert(jobs=("orders", "gone"))
    post.alert("all")
    post.run("failed", "orders")
    post.run("failed", "customers")
    post.alerter.turn()
    assert post.told("chat") == [("orders", "failing")]
    assert sorted(post.told("all")) == [("customers", "failing"), ("orders", "failing")]


def test_an_alert_that_is_off_tells_nothing_and_tells_nothing_later(post: Post) -> None:
    saved = post.alert()
    post.all(["failed"])
    post.alerts.replace(replace(saved, enabled=False))
    post.all(["succeeded", "failed", "succeeded"])
    post.alerts.replace(replace(saved, enabled=True))
    post.all(["succeeded"])
    assert [kind for _, kind in post.told()] == ["failing"]
    post.all(["failed", "succeeded"])
    assert [kind for _, kind in post.told()] == ["failing", "failing", "recovered"]


def test_a_run_that_is_seen_late_is_told(post: Post) -> None:
    post.alert("early", jobs=("other",), failures=None)
    post.alert()
    post.store.database["alerts"].update_many({}, {"$set": {"enabled_at": post.store.now() - HOUR}})
    post.all(["succeeded"], "other")
    post.run("failed", ago=30)
    post.alerter.turn()
    assert post.told() == [("orders", "failing")]


def test_an_alert_that_is_made_while_others_are_looked_at_misses_nothing(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the alerts and that at the runs this process stood still for a while."""
    post.alert("first", jobs=())
    look = post.store.outcomes.ended

    def later(*given: Any) -> Any:
        monkeypatch.undo()
        post.alert()
        change = {"$set": {"enabled_at": post.store.now() - timedelta(seconds=100)}}
        post.store.database["alerts"].update_many({}, change)
        post.run("failed", ago=95)
        post.run("succeeded", "other")
        return look(post.store.now() - timedelta(seconds=100), *given[1:])

    monkeypatch.setattr(post.store.outcomes, "ended", later)
    post.alerter.turn()
    post.alerter.turn()
    assert post.told() == [("orders", "failing")]


def test_what_happened_while_nobody_led_is_told_by_who_leads_next(post: Post) -> None:
    post.alert()
    post.all(["succeeded"])
    post.store.database["alerts"].update_many({}, {"$set": {"enabled_at": post.store.now() - 9 * HOUR}})
    post.store.database["alert_feed"].update_many({}, {"$set": {"until": post.store.now() - 8 * HOUR}})
    post.run("failed", ago=7 * 3600)
    post.evaluator().turn()
    assert post.told() == [("orders", "failing")]


def test_who_does_not_lead_writes_nothing(post: Post) -> None:
    post.alert()
    post.run("failed")
    standby = Lease(post.store.leases, instance="here", host="h", ttl=15, gained=lambda: None)
    alerter.Alerter(post.store, standby, VAULT).turn()
    assert post.told() == [] and post.store.alert_events.looked_at() is None


def test_who_loses_the_lease_between_look_and_write_leaves_it_to_the_next(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.alert()
    post.run("failed")
    monkeypatch.setattr(post.alerter._lease, "trusted", lambda token: False)
    post.alerter.turn()
    assert post.told() == [] and post.store.alert_events.looked_at() is None
    monkeypatch.undo()
    post.alerter.turn()
    assert post.told() == [("orders", "failing")]


def test_when_old_runs_are_pruned_a_failure_that_goes_on_is_not_told_again(post: Post) -> None:
    post.alert()
    post.all(["succeeded", "failed", "failed"])
    post.store.database["runs"].delete_many({"sequence": {"$lte": 2}})
    post.evaluator().turn()
    post.all(["failed", "succeeded", "failed"])
    assert [kind for _, kind in post.told()] == ["failing", "recovered", "failing"]


def test_a_job_that_is_made_anew_with_the_same_id_is_told_anew(post: Post) -> None:
    """Its runs are counted from 1 again where those of the old one are pruned."""
    post.alert()
    post.job("orders")
    post.all(["failed", "failed"])
    post.store.jobs.delete("orders")
    post.store.database["runs"].delete_many({})
    post.sequences.clear()
    post.job("orders")
    post.all(["failed", "failed", "succeeded"])
    assert [kind for _, kind in post.told()] == ["failing", "failing", "recovered"]


# Held.


def test_a_held_run_is_told_once_and_again_where_it_is_held_again(post: Post) -> None:
    post.alert(failures=None)
    run = post.held()
    post.alerter.turn()
    post.alerter.turn()
    post.evaluator().turn()
    assert post.texts() == [
        "orders is held: it would delete 812 of 1,000 rows. Nothing was removed: approve or discard the run"
    ]
    runs = post.store.database["runs"]
    runs.update_one({"_id": run["_id"]}, {"$set": {"state": "queued"}})
    post.alerter.turn()
    ended = {"ended_at": post.store.now()}
    runs.update_one({"_id": run["_id"]}, {"$set": {"state": "held", "attempt": 2, "attempts": [ended]}})
    post.alerter.turn()
    assert post.told() == [("orders", "held")] * 2


def test_what_was_held_before_the_alert_was_made_is_not_told_nor_where_nobody_asks(post: Post) -> None:
    post.held(ago=5)
    post.alert()
    post.alert("deaf", held=False, jobs=("customers",))
    post.held("customers")
    post.alerter.turn()
    assert [(event["alert"], event["job_id"]) for event in post.events()] == [("chat", "customers")]


# Stale data.


def test_stale_data_is_told_once_and_so_is_fresh_data(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerter, "AGES_EVERY", 0.0)
    post.alert(failures=None, stale=7200.0)
    post.job("old", as_of=2 * HOUR + timedelta(minutes=4, seconds=5))
    post.job("new", as_of=HOUR)
    post.job("never", made=3 * HOUR)
    post.job("young", made=HOUR)
    for _ in range(2):
        post.alerter.turn()
        post.evaluator().turn()
    assert sorted(post.told()) == [("never", "stale"), ("old", "stale")]
    assert any(re.fullmatch(r"old has had no newer data since .* UTC \(2 h 4 min\)", text) for text in post.texts())
    post.brought("old", as_of=timedelta(minutes=121))  # newer, and too old all the same
    post.alerter.turn()
    assert len(post.told()) == 2
    post.brought("old")
    post.alerter.turn()
    post.evaluator().turn()
    assert post.told()[2:] == [("old", "fresh")] and post.texts()[2] == "old has fresh data again"
    post.brought("old", as_of=3 * HOUR)
    post.alerter.turn()
    assert post.told()[3:] == [("old", "stale")]


def test_a_wider_limit_does_not_make_old_data_fresh(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerter, "AGES_EVERY", 0.0)
    saved = post.alert(failures=None, stale=7200.0)
    post.job("old", as_of=3 * HOUR)
    post.alerter.turn()
    post.alerts.replace(replace(saved, stale=36_000.0))
    post.alerter.turn()
    post.alerts.replace(saved)
    post.alerter.turn()
    assert post.told() == [("old", "stale")]
    post.brought("old")
    post.alerter.turn()
    assert post.told() == [("old", "stale"), ("old", "fresh")]


def test_a_job_that_is_off_or_gone_is_not_stale(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerter, "AGES_EVERY", 0.0)
    post.alert(failures=None, stale=7200.0)
    post.job("off", as_of=3 * HOUR)
    post.store.jobs.set_enabled("off", False, None)
    post.job("gone", as_of=3 * HOUR)
    post.alerter.turn()
    post.store.jobs.delete("gone")
    post.alerter.turn()
    assert post.told() == [("gone", "stale")]
    assert [event["open"] for event in post.events()] == [False]
