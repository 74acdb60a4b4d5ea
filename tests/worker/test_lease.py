"""The lease on a real MongoDB, as histories of two instances."""

from __future__ import annotations

from datetime import timedelta

import pytest

from worker import clock
from worker.clock import EPOCH
from worker.errors import StoreUnavailable
from worker.lease import Lease
from worker.store import Store
from worker.store.leases import Leases, Term

TTL = 15.0


class Gains:
    """Counts how often a lease was gained."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def lease(leases: Leases, instance: str, gained: Gains | None = None) -> Lease:
    return Lease(leases, instance=instance, host="here", ttl=TTL, gained=gained or Gains())


def expire(store: Store) -> None:
    """Let the stored lease's time be over, as if its holder had been silent for a TTL."""
    back = {"$dateSubtract": {"startDate": "$$NOW", "unit": "second", "amount": 20}}
    ended = {"$dateSubtract": {"startDate": "$$NOW", "unit": "second", "amount": 5}}
    store.database["leases"].update_one({}, [{"$set": {"renewed_at": back, "expires_at": ended}}])


def test_the_first_to_ask_leads_and_the_second_stands_by(store: Store) -> None:
    first, second = lease(store.leases, "one"), lease(store.leases, "two")
    assert first.turn() == TTL / 5
    second.turn()
    holding = first.holding()
    assert holding is not None and holding.token == 1
    assert second.holding() is None


def test_a_renewal_keeps_the_token_and_gains_once(store: Store) -> None:
    gains = Gains()
    one = lease(store.leases, "one", gains)
    for _ in range(3):
        one.turn()
    holding = one.holding()
    assert holding is not None and holding.token == 1
    assert gains.count == 1


def test_a_release_hands_over_at_once_and_the_token_grows(store: Store) -> None:
    first, second = lease(store.leases, "one"), lease(store.leases, "two")
    first.turn()
    first.release()
    current = store.leases.current()
    assert current is not None
    assert (current["holder"], current["expires_at"], current["live"]) == (None, EPOCH, False)
    second.turn()
    holding = second.holding()
    assert holding is not None and holding.token == 2
    assert [(term["_id"], term["how"]) for term in store.leases.terms()] == [(2, None), (1, "released")]


def test_an_expired_lease_goes_to_another_and_the_old_holder_notices(store: Store) -> None:
    first, second = lease(store.leases, "one"), lease(store.leases, "two")
    first.turn()
    expire(store)
    second.turn()
    assert second.holding() is not None
    first.turn()
    assert first.holding() is None
    assert [(term["_id"], term["how"]) for term in store.leases.terms()] == [(2, None), (1, "expired")]


def test_an_expired_lease_is_a_new_term_even_for_its_old_holder(store: Store) -> None:
    gains = Gains()
    one = lease(store.leases, "one", gains)
    one.turn()
    before = store.leases.current()
    expire(store)
    one.turn()
    after = store.leases.current()
    assert before is not None and after is not None
    assert after["token"] == before["token"] + 1
    assert after["holder"] != before["holder"]
    assert gains.count == 2


def test_a_clock_set_back_leaves_nobody_locked_out(store: Store) -> None:
    first, second = lease(store.leases, "one"), lease(store.leases, "two")
    first.turn()
    ahead = {"$dateAdd": {"startDate": "$expires_at", "unit": "second", "amount": 120}}
    store.database["leases"].update_one({}, [{"$set": {"expires_at": ahead, "renewed_at": "$renewed_at"}}])
    renewed = {"$dateAdd": {"startDate": "$renewed_at", "unit": "second", "amount": 120}}
    store.database["leases"].update_one({}, [{"$set": {"renewed_at": renewed}}])
    second.turn()
    holding = second.holding()
    assert holding is not None and holding.token == 2


def test_trust_ends_before_the_lease_does(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one = lease(store.leases, "one")
    sent = clock.monotonic()
    one.turn()
    assert one.trusted(1)
    monkeypatch.setattr(clock, "monotonic", lambda: sent + TTL)
    assert one.holding() is None
    assert not one.trusted(1)


def test_a_frozen_holder_wakes_up_as_a_standby(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = lease(store.leases, "one"), lease(store.leases, "two")
    first.turn()
    expire(store)
    second.turn()
    now = clock.monotonic()
    with monkeypatch.context() as frozen:
        frozen.setattr(clock, "monotonic", lambda: now + 2.5 * TTL)
        assert first.holding() is None
        first.turn()
        assert first.holding() is None
    assert second.holding() is not None


class Unanswered:
    """Leases whose calls are carried out but never answered, while `silent`."""

    def __init__(self, leases: Leases) -> None:
        self.silent = False
        self._leases = leases

    def hold(self, holder: str, fresh: str, instance: str, token: int | None, ttl: float) -> Term:
        term = self._leases.hold(holder, fresh, instance, token, ttl)
        if self.silent:
            raise StoreUnavailable("no reply")
        return term

    def __getattr__(self, name: str) -> object:
        return getattr(self._leases, name)


def test_a_lost_reply_is_unknown_and_the_next_turn_finds_out(store: Store) -> None:
    quiet = Unanswered(store.leases)
    gains = Gains()
    one = lease(quiet, "one", gains)  # type: ignore[arg-type]
    quiet.silent = True
    one.turn()
    assert one.holding() is None
    quiet.silent = False
    one.turn()
    holding = one.holding()
    assert holding is not None and holding.token == 1
    assert gains.count == 1


def test_a_term_that_a_lost_reply_gained_keeps_nobody_waiting(store: Store) -> None:
    quiet = Unanswered(store.leases)
    one = lease(quiet, "one")  # type: ignore[arg-type]
    one.turn()
    expire(store)
    quiet.silent = True
    one.turn()  # a term begins in the database, and nobody knows of it
    before = store.leases.current()
    quiet.silent = False
    one.turn()
    holding, after = one.holding(), store.leases.current()
    assert before is not None and after is not None and holding is not None
    assert holding.token == after["token"] == before["token"] + 1
    assert after["holder"] != before["holder"]


def test_a_lease_too_short_to_renew_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="too short"):
        Lease(store.leases, instance="one", host="here", ttl=0.5, gained=Gains())


def test_the_holding_carries_the_servers_clock(store: Store) -> None:
    one = lease(store.leases, "one")
    one.turn()
    holding = one.holding()
    assert holding is not None
    assert abs(store.now() - holding.acquired_at) < timedelta(seconds=5)
