"""A nemesis kills, freezes and stops instances at random while twenty jobs fire; then the checker reads what is left.

`NEMESIS_SEED` replays one sequence of blows, `NEMESIS_BLOWS` makes it longer (`make chaos`).
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.conftest import StartProgram
from tests.journeys import checker
from tests.journeys.test_three_instances import EVERY, JOBS, KEY, save_jobs, shop
from tests.program import Program
from tests.waiting import until
from worker.store import Store

INSTANCES = 3
BLOWS = int(os.environ.get("NEMESIS_BLOWS", "5"))


class Nemesis:
    """Strikes one instance at a time and lets some work pass between two blows."""

    def __init__(self, start: Callable[[], Program], database: Any, seed: int) -> None:
        self._start = start
        self._database = database
        self._random = random.Random(seed)
        self.alive = [start() for _ in range(INSTANCES)]
        self._frozen: list[Program] = []
        self.blows: list[str] = []

    def strike(self) -> None:
        name = self._random.choice(("kill", "freeze", "stop"))
        victim = self._random.choice(self.alive)
        self.blows.append(name)
        self.alive.remove(victim)
        if name == "kill":
            victim.kill()
            self.alive.append(self._start())
        elif name == "stop":
            assert victim.terminate() == 0, victim.output
            self.alive.append(self._start())
        else:
            victim.signal(signal.SIGSTOP)
            self._frozen.append(victim)
        self._some_work(JOBS)
        while self._frozen and (len(self.alive) < 2 or self._random.random() < 0.5):
            woken = self._frozen.pop()
            woken.signal(signal.SIGCONT)
            self.alive.append(woken)

    def calm(self) -> None:
        """Wake all, let them catch up, and stop them."""
        for woken in self._frozen:
            woken.signal(signal.SIGCONT)
        self.alive += self._frozen
        self._some_work(3 * JOBS)
        until(lambda: self._database["runs"].count_documents({"state": "running"}) < JOBS, "the dead are rescued")
        quiet = self._database.command("hello")["localTime"]
        due = {"next_fire_time": {"$lte": quiet}}
        until(lambda: not self._database["jobs"].count_documents(due), "all that was due is planned")
        for one in self.alive:
            assert one.terminate() == 0, one.output

    def _some_work(self, runs: int) -> None:
        done = self._done()
        until(lambda: self._done() >= done + runs, f"{runs} more runs succeeded (after {self.blows})", timeout=90)

    def _done(self) -> int:
        count: int = self._database["runs"].count_documents({"state": "succeeded"})
        return count


def unplanned(database: Any) -> list[str]:
    """Jobs whose documents do not reach to the next fire time: what the checker cannot see, a hole at the end."""
    wrong = []
    for job in database["jobs"].find():
        last = database["runs"].find_one({"job_id": job["_id"], "trigger": "schedule"}, sort=[("fire_time", -1)])
        covered = (last.get("missed_until") or last["fire_time"]) if last else job["created_at"]
        if covered + timedelta(seconds=EVERY) < job["next_fire_time"]:
            wrong.append(f"{job['_id']}: nothing between {covered} and {job['next_fire_time']}")
    return wrong


@pytest.mark.journey
def test_no_fire_time_is_lost_or_doubled_whatever_dies(
    store: Store,
    mongo_url: str,
    mongo_database: str,
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("NEMESIS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"NEMESIS_SEED={seed}")
    lake = f"{mongo_database}_lake"
    save_jobs(store, shop(tmp_path), mongo_url, lake)
    env = environment(APP_ENV="production", SECRET_KEY=KEY, LEASE_TTL="2", CLAIM_TTL="3")

    def instance() -> Program:
        one = program("-m", "worker", env=env, ready=False)
        one.wait_for("worker started")
        return one

    nemesis = Nemesis(instance, store.database, seed)
    for _ in range(BLOWS):
        nemesis.strike()
    nemesis.calm()
    assert checker.all_promises(store.database, timedelta(seconds=EVERY)) == [], f"NEMESIS_SEED={seed}"
    assert unplanned(store.database) == [], f"NEMESIS_SEED={seed}"
    failed = list(store.database["runs"].find({"state": {"$in": ["failed", "cancelled"]}}, {"error": 1, "reason": 1}))
    assert failed == [], f"NEMESIS_SEED={seed}"
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        assert {client[lake][f"items_{number}"].count_documents({}) for number in range(JOBS)} == {50}
        client.drop_database(lake)
