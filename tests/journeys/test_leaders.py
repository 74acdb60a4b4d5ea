"""Five instances; whoever leads is killed, told to stop or frozen: who led when, why it ended, who came next, how fast.

Times are the database server's, as `lease_terms` has them. `LEADERS_SEED` replays one sequence of blows.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests import servers
from tests.conftest import StartProgram
from tests.journeys import checker
from tests.journeys.test_three_instances import EVERY, KEY, save_jobs, shop
from tests.program import Program
from tests.waiting import until
from worker.store import Store

pytestmark = pytest.mark.journey
INSTANCES = 5
TTL = 3.0
BLOWS = ("kill", "stop", "freeze")
KILLED = timedelta(seconds=TTL + 2)
PROMPT = timedelta(seconds=1)


class Court:
    """Strikes the holder, again and again, and keeps what it saw of each hand-over."""

    def __init__(self, start: Callable[[], Program], store: Store) -> None:
        self._start = start
        self._store = store
        self._terms = store.database["lease_terms"]
        self.alive = [start() for _ in range(INSTANCES)]
        self.seen: list[tuple[str, int, timedelta]] = []

    def strike(self, blow: str) -> None:
        """Strike whoever leads now, and see another lead."""
        term, holder = self._holder()
        struck = self._store.now()
        if blow == "kill":
            holder.kill()
        elif blow == "stop":
            assert holder.terminate() == 0, holder.output
        else:
            holder.signal(signal.SIGSTOP)
        after = until(lambda: self._next(term["_id"]), f"another leads after {blow}", timeout=60)
        ended = until(lambda: self._ended(term["_id"]), f"term {term['_id']} is closed")
        assert after["instance"] != term["instance"]
        assert ended["how"] == ("released" if blow == "stop" else "expired")
        since = ended["ended_at"] if blow == "stop" else struck
        took = after["gained_at"] - since
        self.seen.append((blow, term["_id"], took))
        assert took <= (PROMPT if blow == "stop" else KILLED), f"{blow}: {took}"
        if blow == "freeze":
            self._wake(holder, ended, struck)
        else:
            self.alive.remove(holder)
            self.alive.append(self._start())

    def _wake(self, holder: Program, ended: dict[str, Any], struck: datetime) -> None:
        """Let it sleep for 2.5 TTL, and see it stand by at once, with nothing changed of its term."""
        until(lambda: self._store.now() - struck >= timedelta(seconds=2.5 * TTL), "it slept long enough")
        woken = self._store.now()
        holder.signal(signal.SIGCONT)
        line = json.loads(holder.wait_for(f"leads no more (token {ended['_id']})"))
        noticed = datetime.fromisoformat(line["at"]) - woken
        self.seen.append(("wake", ended["_id"], noticed))
        assert noticed <= PROMPT
        assert self.term(ended["_id"]) == ended

    def term(self, token: int) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._terms.find_one({"_id": token})
        return found

    def orphans(self) -> list[dict[str, Any]]:
        """Runs that a killed instance had: nobody has rescued them yet."""
        alive = {"pid": {"$in": [one.pid for one in self.alive]}}
        ours = [one["_id"] for one in self._store.database["instances"].find(alive)]
        return list(self._store.database["runs"].find({"state": "running", "claim.instance": {"$nin": ours}}))

    def _next(self, token: int) -> dict[str, Any] | None:
        """The term after; a token between them was gained by a request whose answer never came, and nobody led."""
        found: dict[str, Any] | None = self._terms.find_one({"_id": {"$gt": token}}, sort=[("_id", 1)])
        return found

    def _ended(self, token: int) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._terms.find_one({"_id": token, "ended_at": {"$ne": None}})
        return found

    def _holder(self) -> tuple[dict[str, Any], Program]:
        def leading() -> tuple[dict[str, Any], Program] | None:
            lease = self._store.leases.current()
            term = self.term(lease["token"]) if lease and lease["live"] else None
            own = [one for one in self.alive if term and one.pid == term["pid"]]
            return (term, own[0]) if term and own else None

        return until(leading, "one of us leads", timeout=60)


def nothing_under_an_old_token(database: Any) -> list[str]:
    """Runs that were planned under a token after its successor led."""
    terms = list(database["lease_terms"].find().sort("_id", 1))
    over = {earlier["_id"]: later["gained_at"] for earlier, later in pairwise(terms)}
    planned = database["runs"].find({"trigger": "schedule"})
    return [
        f"{run['job_id']}: queued at {run['queued_at']} under token {run['lease_token']}"
        for run in planned
        if run["queued_at"] > over.get(run["lease_token"], run["queued_at"])
    ]


@pytest.mark.parametrize("seconds", [0, pytest.param(60, marks=[pytest.mark.chaos, pytest.mark.timeout(600)])])
def test_one_leads_whatever_befalls_the_holder(
    store: Store,
    mongo_url: str,
    mongo_database: str,
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
    seconds: int,
) -> None:
    seed = int(os.environ.get("LEADERS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"LEADERS_SEED={seed}")
    dice = random.Random(seed)
    lake = f"{mongo_database}_lake"
    save_jobs(store, shop(tmp_path), mongo_url, lake)
    env = environment(APP_ENV="production", SECRET_KEY=KEY, LEASE_TTL=f"{TTL:g}", CLAIM_TTL="4")

    def instance() -> Program:
        one = program("-m", "worker", env=env, ready=False)
        one.wait_for("worker started")
        return one

    court = Court(instance, store)
    began = store.now()
    for blow in dice.sample(BLOWS, len(BLOWS)):
        court.strike(blow)
    while store.now() - began < timedelta(seconds=seconds):
        court.strike(dice.choice(BLOWS))
    for blow, token, took in court.seen:
        print(f"token {token:3} {blow:7} {took.total_seconds():.2f} s")

    done = store.database["runs"].count_documents({"state": "succeeded"})
    until(lambda: store.database["runs"].count_documents({"state": "succeeded"}) > done, "the work goes on", timeout=60)
    until(lambda: not court.orphans(), "what the killed one ran is rescued", timeout=60)
    for one in court.alive:
        assert one.terminate() == 0, one.output
    assert checker.all_promises(store.database, timedelta(seconds=EVERY)) == [], f"LEADERS_SEED={seed}"
    assert nothing_under_an_old_token(store.database) == [], f"LEADERS_SEED={seed}"
    terms = sorted(store.leases.terms(1000), key=lambda term: term["_id"])
    assert [term["gained_at"] for term in terms] == sorted(term["gained_at"] for term in terms)
    assert all(term["gained_at"] <= term["ended_at"] for term in terms)
    assert {term["how"] for term in terms} == {"released", "expired"}
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(lake)


def test_a_holder_that_cannot_renew_says_that_it_lost_as_soon_as_it_can(program: StartProgram) -> None:
    with servers.running_mongod() as server:
        env = {"MONGO_URL": server.url, "MONGO_DATABASE": "alone", "APP_ENV": "production", "SECRET_KEY": KEY}
        one = program("-m", "worker", env=env | {"LEASE_TTL": "1"}, ready=False)
        with pymongo.MongoClient[dict[str, Any]](server.url, tz_aware=True) as client:
            terms = client["alone"]["lease_terms"]
            until(lambda: terms.find_one({"_id": 1}), "it leads")
            server.process.send_signal(signal.SIGSTOP)
            one.wait_for("leads no more (token 1)")
            server.process.send_signal(signal.SIGCONT)
            second = until(lambda: terms.find_one({"_id": {"$gt": 1}}), "it leads again")
            first = terms.find_one({"_id": 1})
            assert first is not None and first["how"] == "lost"
            assert first["gained_at"] < first["ended_at"] <= second["gained_at"] + timedelta(seconds=1)
            assert one.terminate() == 0
            assert [term["how"] for term in terms.find().sort("_id", 1)] == ["lost", "released"]
