"""Saved alerts: sealed at rest, changed by people while they are sent, claimed by one sender at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from worker.alert import Alert, Format, Kind
from worker.errors import Conflict, NotFound, StaleRevision, Unreadable
from worker.rotation import listed, rotate
from worker.store import Store
from worker.store.alert_events import new_event
from worker.store.alerts import Alerts
from worker.vault import Vault

OLD, NEW = "a key for the tests", "the new key, long enough"
VAULT = Vault([OLD])
URL = "https://hooks.example.com/services/geheim"
CHAT = Alert(id="chat", url=URL, secret="$ecret of sixteen", jobs=("orders", "$jobs"), failures=3, stale=7200.0)


@pytest.fixture
def alerts(store: Store) -> Alerts:
    return store.alerts(VAULT)


def as_said(alert: Alert) -> Alert:
    return replace(alert, created_at=None, updated_at=None, revision=1)


@pytest.mark.parametrize(
    "alert",
    [
        CHAT,
        Alert(id="chat", url="${CHAT_URL}", format=Format.SLACK, failures=None, recovery=False, held=False, stale=60),
        Alert(id="chat", url=URL, enabled=False, owner="jobs.yaml"),
    ],
)
def test_an_alert_comes_back_as_it_was_saved(store: Store, alerts: Alerts, alert: Alert) -> None:
    saved = alerts.insert(alert)
    assert as_said(saved) == alert and saved.created_at == saved.updated_at is not None
    assert alerts.get("chat") == saved and alerts.list() == [saved] and alerts.owner("chat") == alert.owner
    stored = str(store.database["alerts"].find_one({"_id": "chat"}))
    assert "geheim" not in stored and "$ecret" not in stored and "CHAT_URL" not in stored


def test_a_change_counts_the_revision_and_a_stale_one_changes_nothing(alerts: Alerts) -> None:
    alerts.insert(CHAT)
    changed = alerts.replace(replace(CHAT, secret=None, jobs=None, url="http://other/"), 1)
    assert (changed.revision, changed.secret, changed.jobs, changed.url) == (2, None, None, "http://other/")
    with pytest.raises(StaleRevision, match="its revision is 2"):
        alerts.replace(CHAT, 1)
    with pytest.raises(StaleRevision):
        alerts.delete("chat", 1)
    with pytest.raises(Conflict, match="exists already"):
        alerts.insert(CHAT)
    alerts.delete("chat", 2)
    for gone in (lambda: alerts.get("chat"), lambda: alerts.owner("chat"), lambda: alerts.delete("chat")):
        with pytest.raises(NotFound):
            gone()
    with pytest.raises(NotFound):
        alerts.replace(CHAT)


def test_a_save_without_the_key_keeps_what_it_cannot_open(store: Store, alerts: Alerts) -> None:
    alerts.insert(CHAT)
    keyless = store.alerts(Vault([NEW]))
    found = keyless.get("chat")
    assert (found.unreadable, found.url, found.secret) == (("url", "secret"), "", None)
    keyless.replace(replace(found, enabled=False))
    assert (alerts.get("chat").url, alerts.get("chat").enabled) == (URL, False)


def test_alerts_are_sealed_anew_when_the_key_is(store: Store, alerts: Alerts) -> None:
    alerts.insert(CHAT)
    assert [what for what, _, _ in listed(store, VAULT)] == ["alerts/chat/url", "alerts/chat/secret"]
    done = rotate(store, Vault([NEW, OLD]))
    assert (done.total, done.anew, done.unopened) == (2, 2, [])
    found = store.alerts(Vault([NEW])).get("chat")
    assert (found.url, found.secret, found.revision) == (URL, CHAT.secret, 1)


def test_a_ciphertext_that_is_moved_does_not_open(store: Store, alerts: Alerts) -> None:
    alerts.insert(CHAT)
    alerts.insert(replace(CHAT, id="other"))
    theirs = store.database["alerts"].find_one({"_id": "other"})
    assert theirs is not None
    store.database["alerts"].update_one({"_id": "chat"}, {"$set": {"url": theirs["url"], "secret": theirs["url"]}})
    assert alerts.get("chat").unreadable == ("url", "secret")


@pytest.mark.parametrize(
    "broken",
    [{"jobs": "orders"}, {"format": "carrier pigeon"}, {"failures": "many"}, {"url": "plain"}, {"revision": True}],
)
def test_one_that_was_broken_by_hand_spoils_no_other(store: Store, alerts: Alerts, broken: dict[str, Any]) -> None:
    alerts.insert(CHAT)
    alerts.insert(replace(CHAT, id="other"))
    store.database["alerts"].update_one({"_id": "chat"}, {"$set": broken})
    with pytest.raises(Unreadable, match="alert 'chat' cannot be read"):
        alerts.get("chat")
    assert [one.id for one in alerts.list()] == ["other"]
    watching = alerts.watching()
    assert [alert.id for alert, _ in watching.alerts] == ["other"] and list(watching.broken) == ["chat"]
    alerts.delete("chat")


def test_one_sender_at_a_time(store: Store, alerts: Alerts) -> None:
    alerts.insert(CHAT)
    alerts.insert(replace(CHAT, id="off", enabled=False))
    both = ["chat", "off"]
    claimed = alerts.claim(both, "a", 60)
    assert claimed is not None and alerts.opened(claimed).url == URL
    assert alerts.claim(both, "b", 60) is None
    alerts.free("chat", "b")
    assert alerts.claim(both, "b", 60) is None
    store.database["alerts"].update_one({"_id": "chat"}, {"$set": {"sending.until": store.now() - timedelta(1)}})
    assert alerts.claim(both, "b", 60) is not None  # whoever sent it died
    alerts.delivered("chat", "a", 60)  # and comes back
    alerts.free("chat", "a")
    assert alerts.claim(both, "c", 60) is None
    assert alerts.states()["chat"]["last_sent_at"] is None


def test_a_failure_waits_and_a_save_lets_it_be_tried_at_once(store: Store, alerts: Alerts) -> None:
    alerts.insert(CHAT)
    assert alerts.claim(["chat"], "a", 60)
    alerts.failed("chat", "a", "it answered 500", 100, 1)
    alerts.free("chat", "a")
    state = alerts.states()["chat"]
    assert (state["tries"], state["last_error"]) == (1, "it answered 500")
    assert 90 < (state["not_before"] - store.now()).total_seconds() <= 100
    assert alerts.claim(["chat"], "a", 60) is None
    alerts.replace(CHAT)
    state = alerts.states()["chat"]
    assert (state["tries"], state["last_error"], state["not_before"]) == (0, None, None)
    assert alerts.claim(["chat"], "a", 60)


def test_a_save_while_it_is_sent_is_not_undone_by_how_that_ends(alerts: Alerts) -> None:
    alerts.insert(CHAT)
    assert alerts.claim(["chat"], "a", 60)
    alerts.replace(replace(CHAT, url="http://mended/"))
    assert alerts.claim(["chat"], "b", 60) is None  # the save ended no claim
    alerts.failed("chat", "a", "the old URL answered 404", 3600, 1)
    alerts.free("chat", "a")
    assert alerts.states()["chat"]["last_error"] is None
    assert alerts.claim(["chat"], "b", 60) is not None


def test_after_a_message_it_is_quiet_for_a_while(alerts: Alerts) -> None:
    alerts.insert(CHAT)
    assert alerts.claim(["chat"], "a", 60)
    alerts.delivered("chat", "a", 100)
    alerts.free("chat", "a")
    assert alerts.claim(["chat"], "a", 60) is None
    state = alerts.states()["chat"]
    assert state["last_sent_at"] is not None and state["not_before"] is None


def test_it_watches_since_it_was_made_or_enabled_again(store: Store, alerts: Alerts) -> None:
    def since() -> Any:
        return alerts.watching().alerts[0][1]

    made = alerts.insert(CHAT)
    assert since() == made.created_at
    alerts.replace(replace(CHAT, failures=1))
    assert since() == made.created_at
    alerts.replace(replace(CHAT, enabled=False))
    assert alerts.watching().alerts == ()
    before = store.now()
    alerts.replace(CHAT)
    assert since() >= before


def test_what_it_told_goes_with_it(store: Store, alerts: Alerts) -> None:
    """An alert of the same id that is made later tells all anew."""
    event = new_event("chat", "orders", Kind.FAILING, "r1", at=store.now())
    alerts.insert(CHAT)
    assert store.alert_events.add([event, event | {"_id": "x", "state": "given_up"}]) == 2
    assert (alerts.states()["chat"]["waiting"], alerts.states()["chat"]["given_up"]) == (1, 1)
    alerts.delete("chat")
    assert store.alert_events.page("chat") == ([], None)
    store.alert_events.add([event])  # as after a deletion that was cut off
    alerts.insert(CHAT)
    assert store.alert_events.page("chat") == ([], None)
