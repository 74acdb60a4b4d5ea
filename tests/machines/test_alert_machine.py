"""Alerts as a state machine on a real MongoDB: any history of runs, alerts made and turned off meanwhile, two
instances that both believe to lead, each of which may die or freeze between any two writes.

What was told is compared with a model of a few lines: a row of failures once, and once its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.waiting import until
from tests.worker.watch_post import VAULT, Leading, Post
from worker import store as stores
from worker.alert import Alert, Kind
from worker.alerter import Alerter
from worker.store import Store
from worker.store.client import Document

JOBS = ("orders", "customers")
LEADERS = ("a", "b")
WRITES = ("add", "close", "look_on")
states = st.sampled_from(["failed", "failed", "succeeded", "cancelled", "skipped"])
Told = tuple[str, str, str, str]


class Died(Exception):
    """The process ended here."""


class Leader:
    """An evaluator on a way of its own to the database, which breaks off where a test says so."""

    def __init__(self, url: str, database: str) -> None:
        self.store = stores.open(url, database)
        self.plan: tuple[str, str, Callable[[], None]] | None = None
        for name in WRITES:
            setattr(self.store.alert_events, name, self._broken(name, getattr(self.store.alert_events, name)))
        self.alerter = Alerter(self.store, Leading(), VAULT)

    def _broken(self, name: str, write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            if self.plan is None or self.plan[0] != name:
                return write(*given)
            (_, how, meanwhile), self.plan = self.plan, None
            if how == "before":
                raise Died
            if how == "frozen":
                meanwhile()
            done = write(*given)
            if how == "after":
                raise Died
            return done

        return call

    def turn(self) -> None:
        try:
            self.alerter.turn()
        except Died:  # what comes next is another process, which remembers nothing
            self.alerter = Alerter(self.store, Leading(), VAULT)
        self.plan = None


@dataclass
class Model:
    """What should be told: what is expected of each run once it is looked at, in the order of the runs."""

    streak: dict[str, tuple[int, int]] = field(default_factory=dict)
    open: dict[tuple[str, str], int] = field(default_factory=dict)
    told: set[Told] = field(default_factory=set)

    def look(self, runs: list[Document], alerts: list[tuple[Alert, datetime]]) -> None:
        for run in runs:
            job, run_id = run["job_id"], run["_id"]
            row, failures = self.streak.get(job, (0, 0))
            if run["state"] == "failed":
                self.streak[job] = row, failures + 1
            elif run["state"] == "succeeded":
                self.streak[job] = row + 1, 0
            for alert, since in alerts:
                if run["finished_at"] < since or (alert.jobs is not None and job not in alert.jobs):
                    continue
                told = self.open.get((alert.id, job)) == row
                enough = alert.failures is not None and failures + 1 >= alert.failures
                if run["state"] == "failed" and enough and not told:
                    self.told.add((alert.id, job, str(Kind.FAILING), run_id))
                    self.open[alert.id, job] = row
                elif run["state"] == "succeeded" and told and alert.recovery:
                    self.told.add((alert.id, job, str(Kind.RECOVERED), run_id))


def machine(store: Store, url: str) -> type[RuleBasedStateMachine]:
    class AlertMachine(RuleBasedStateMachine):
        @initialize(failures=st.sampled_from([1, 2]))
        def begin(self, failures: int) -> None:
            for name in ("runs", "alerts", "alert_events", "alert_feed"):
                store.database[name].delete_many({})
            self.post = Post(store)
            self.model = Model()
            self.pending: list[Document] = []
            self.last: dict[str, datetime] = {}
            self.leaders = {name: Leader(url, store.database.name) for name in LEADERS}
            self.post.alert("alert-0", failures=failures)

        @rule(job=st.sampled_from(JOBS), ends=st.lists(states, min_size=1, max_size=4))
        def runs_end(self, job: str, ends: list[str]) -> None:
            for state in ends:
                self._run(state, job, store.now())

        @rule(job=st.sampled_from(JOBS), state=states, ago=st.integers(1, 50))
        def a_run_is_seen_late(self, job: str, state: str, ago: int) -> None:
            self._run(state, job, max(store.now() - timedelta(seconds=ago), self.last.get(job, store.now())))

        def _run(self, state: str, job: str, at: datetime) -> None:
            self.last[job] = at
            self.pending.append(self.post.run(state, job, at=at))

        @precondition(lambda self: len(store.database["alerts"].distinct("_id")) < 3)
        @rule(failures=st.sampled_from([None, 1, 1, 2, 3]), recovery=st.booleans(), some=st.booleans())
        def an_alert_is_made(self, failures: int | None, recovery: bool, some: bool) -> None:
            number = store.database["alerts"].count_documents({})
            jobs = JOBS[:1] if some else None
            self.post.alert(f"alert-{number}", failures=failures, recovery=recovery, jobs=jobs)

        @rule(number=st.integers(0, 2), ends=st.lists(states, max_size=3), look=st.booleans())
        def an_alert_is_off_for_a_while(self, number: int, ends: list[str], look: bool) -> None:
            alert = self.post.alerts.find(f"alert-{number}")
            if alert is not None:
                self.all_is_looked_at("a")  # what it was on for is told
                self.post.alerts.replace(replace(alert, enabled=False))
                self.runs_end("orders", ends)
                if look:
                    self.all_is_looked_at("b")
                self._wait_for_the_next_millisecond()
                self.post.alerts.replace(replace(alert, enabled=True))

        def _wait_for_the_next_millisecond(self) -> None:
            """What ends in the one in which an alert is turned on may be told or not."""
            begun = store.now()
            until(lambda: store.now() > begun, "the server's clock went on")

        @rule(
            who=st.sampled_from(LEADERS),
            write=st.sampled_from(WRITES),
            how=st.sampled_from(["before", "after", "frozen"]),
            meanwhile=st.lists(states, max_size=3),
        )
        def a_leader_breaks_off(self, who: str, write: str, how: str, meanwhile: list[str]) -> None:
            other = self.leaders["b" if who == "a" else "a"]

            def go_on() -> None:
                other.turn()
                self.runs_end("orders", meanwhile)
                other.turn()

            self.leaders[who].plan = write, how, go_on
            self.leaders[who].turn()

        @rule(who=st.sampled_from(LEADERS))
        def all_is_looked_at(self, who: str) -> None:
            self.leaders[who].turn()
            self.model.look(self.pending, list(self.post.alerts.watching().alerts))
            self.pending = []
            found = self.post.events()
            assert {(e["alert"], e["job_id"], e["kind"], e["run_id"]) for e in found} == self.model.told
            assert len(found) == len(self.model.told)

        def teardown(self) -> None:
            if hasattr(self, "leaders"):
                self.all_is_looked_at("b")
                for leader in self.leaders.values():
                    leader.store.close()

    return AlertMachine


@pytest.mark.own_database
def test_each_row_of_failures_is_told_once_and_so_is_its_end(store: Store, mongo_url: str) -> None:
    run_state_machine_as_test(
        machine(store, mongo_url),
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes longer than to read
            suppress_health_check=list(HealthCheck),
        ),
    )
