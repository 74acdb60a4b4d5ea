"""The lease as a state machine on a real MongoDB: pauses, lost replies, releases, and a server clock that jumps.

Time passes by moving what is stored into the past and the instances' monotonic clock ahead, by the same amount.
"""

from __future__ import annotations

import uuid
from typing import Any

import pymongo
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from worker import clock
from worker import store as stores
from worker.errors import StoreUnavailable
from worker.lease import Lease
from worker.store import Store
from worker.store.leases import Leases, Term

TTL = 10.0
INSTANCES = ("a", "b", "c")
TIMES = ("acquired_at", "renewed_at", "expires_at")
instances = st.sampled_from(INSTANCES)


class Wire:
    """One instance's way to the database: a call may be lost before it is carried out, or its reply after."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.broken: str | None = None

    def hold(self, holder: str, fresh: str, instance: str, token: int | None, ttl: float) -> Term:
        if self.broken == "request":
            raise StoreUnavailable("the request was lost")
        term = self._leases.hold(holder, fresh, instance, token, ttl)
        if self.broken == "reply":
            raise StoreUnavailable("the reply was lost")
        return term

    def __getattr__(self, name: str) -> Any:
        return getattr(self._leases, name)


def machine(store: Store, monkeypatch: pytest.MonkeyPatch) -> type[RuleBasedStateMachine]:
    class LeaseMachine(RuleBasedStateMachine):
        @initialize(may_jump=st.booleans())
        def begin(self, may_jump: bool) -> None:
            self.may_jump = may_jump
            for name in ("leases", "lease_terms"):
                store.database[name].delete_many({})
            self.now = 1000.0
            self.highest = 0
            self.seen: dict[int, str] = {}
            monkeypatch.setattr(clock, "monotonic", lambda: self.now)
            self.wires = {name: Wire(store.leases) for name in INSTANCES}
            self.leases = {
                name: Lease(wire, instance=name, host="h", ttl=TTL, gained=lambda: None)  # type: ignore[arg-type]
                for name, wire in self.wires.items()
            }

        @rule(who=instances)
        def turn(self, who: str) -> None:
            self.leases[who].turn()

        @rule(first=instances, second=instances, seconds=st.sampled_from([5.0, TTL - 1, TTL + 1, 3 * TTL]))
        def pause_between(self, first: str, second: str, seconds: float) -> None:
            """One instance is frozen while another goes on."""
            self.leases[first].turn()
            self.time_passes(seconds)
            self.leases[second].turn()

        @rule(who=instances)
        def release(self, who: str) -> None:
            self.leases[who].release()

        @rule(who=instances, how=st.sampled_from(["request", "reply"]))
        def break_wire(self, who: str, how: str) -> None:
            self.wires[who].broken = how

        @rule(who=instances)
        def mend_wire(self, who: str) -> None:
            self.wires[who].broken = None

        @rule(seconds=st.sampled_from([0.5, 2.0, 5.0, 11.0, 30.0]))
        def time_passes(self, seconds: float) -> None:
            self.now += seconds
            self._move(-seconds)

        @precondition(lambda self: self.may_jump)
        @rule(seconds=st.sampled_from([60.0, -120.0]))
        def server_clock_jumps(self, seconds: float) -> None:
            self._move(-seconds)

        def _move(self, seconds: float) -> None:
            shift = {name: {"$add": [f"${name}", round(seconds * 1000)]} for name in TIMES}
            store.database["leases"].update_many({"holder": {"$ne": None}}, [{"$set": shift}])

        @invariant()
        def a_token_belongs_to_one_instance(self) -> None:
            for name, lease in getattr(self, "leases", {}).items():
                holding = lease.holding()
                if holding:
                    assert self.seen.setdefault(holding.token, name) == name

        @invariant()
        def the_stored_token_never_shrinks(self) -> None:
            lease = store.database["leases"].find_one({}) or {"token": 0}
            assert lease["token"] >= getattr(self, "highest", 0)
            self.highest = lease["token"]

        @invariant()
        def one_instance_trusts_at_most(self) -> None:
            if not getattr(self, "may_jump", True):
                assert sum(lease.holding() is not None for lease in self.leases.values()) <= 1

        def teardown(self) -> None:
            """Whatever happened: within a TTL and two turns somebody leads."""
            if not hasattr(self, "leases"):
                return
            self.time_passes(TTL + 1)
            for name in INSTANCES:
                self.mend_wire(name)
            for _ in range(2):
                for name in INSTANCES:
                    self.leases[name].turn()
            assert sum(lease.holding() is not None for lease in self.leases.values()) == 1

    return LeaseMachine


def test_the_lease_keeps_its_promises(mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"test_{uuid.uuid4().hex[:16]}"
    store = stores.open(mongo_url, name)
    try:
        run_state_machine_as_test(
            machine(store, monkeypatch),
            settings=settings(
                max_examples=60,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
    finally:
        store.close()
        with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
            client.drop_database(name)
