"""MongoDB is away and comes back: the process stays, says so, loses nothing and goes on by itself."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartProgram, missing
from tests.journeys.outage import ENV, Outage, Watched, report
from tests.journeys.proxy import Proxy
from tests.program import Program
from tests.servers import MissingServer, Server, mongod_program, primary, running_set
from tests.waiting import until

pytestmark = pytest.mark.journey

WRITING = ["insert", "update", "findAndModify", "delete"]
COMMANDS = {"run": ("run", "tick-1"), "apply": ("apply", "jobs.yaml"), "jobs": ("jobs",)}
NO_DATABASE = 3


@pytest.fixture
def outage(tmp_path: Path) -> Iterator[Outage]:
    try:
        mongod_program()
    except MissingServer as reason:
        missing(reason)
    with Outage(tmp_path, "--setParameter", "enableTestCommands=1").prepared() as prepared:
        yield prepared


@pytest.fixture
def working(outage: Outage, program: StartProgram) -> Outage:
    """An instance in the middle of its work."""
    outage.one = program("-m", "app", env={**ENV, "MONGO_URL": outage.server.url})
    outage.working()
    return outage


def refuse_writes(outage: Outage, code: int) -> None:
    data: dict[str, Any] = {"failCommands": WRITING, "errorCode": code}
    outage.direct.admin.command({"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": data})


def accept_writes(outage: Outage) -> None:
    outage.direct.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


def kill(outage: Outage) -> None:
    outage.server.process.kill()
    outage.down()


@dataclass(frozen=True)
class Fault:
    begin: Callable[[Outage], object]
    end: Callable[[Outage], object]
    reads: int = 503


FAULTS = {
    "black hole": Fault(lambda o: o.proxy.silence(forget=True), lambda o: o.proxy.speak()),
    "a silence that heals": Fault(lambda o: o.proxy.silence(forget=False), lambda o: o.proxy.speak()),
    "refused": Fault(lambda o: o.proxy.refuse(), lambda o: o.proxy.listen()),
    "stopped": Fault(lambda o: o.down(), lambda o: o.up()),
    "killed": Fault(kill, lambda o: o.up()),
    "frozen": Fault(
        lambda o: o.server.process.send_signal(signal.SIGSTOP), lambda o: o.server.process.send_signal(signal.SIGCONT)
    ),
    "disk full": Fault(lambda o: refuse_writes(o, 14031), accept_writes, reads=200),
    "not primary": Fault(lambda o: refuse_writes(o, 10107), accept_writes, reads=200),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "black hole" else pytest.mark.chaos) for name in FAULTS]
)
def test_an_outage_is_told_and_survived(name: str, working: Outage) -> None:
    fault = FAULTS[name]
    fault.begin(working)
    try:
        working.told(reads=fault.reads)
        working.one.wait_for("leads no more")
    finally:
        fault.end(working)
    working.over()
    working.checked()


@pytest.mark.chaos
def test_it_is_up_before_the_database(outage: Outage, program: StartProgram) -> None:
    outage.down()
    outage.one = program("-m", "app", env={**ENV, "MONGO_URL": outage.server.url}, ready=False)
    outage.one.wait_for("starts by itself")
    outage.told()
    outage.up()
    outage.over()
    outage.checked()


@pytest.mark.chaos
def test_a_slow_network_is_no_outage(outage: Outage, program: StartProgram) -> None:
    outage.proxy.delay(0.3)
    outage.one = program("-m", "app", env={**ENV, "MONGO_URL": outage.server.url})
    outage.working()
    token = outage.lease()["token"]
    done = outage.done()
    until(lambda: outage.done() > done + 6, "runs succeed", timeout=40)
    assert outage.lease()["token"] == token
    outage.checked()


@pytest.mark.parametrize("share", [0.3, pytest.param(0.7, marks=pytest.mark.chaos)])
def test_lost_replies_double_nothing(share: float, working: Outage) -> None:
    seed = int(os.environ.get("LOSS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"LOSS_SEED={seed}")
    working.proxy.lose(frozenset(WRITING), share=share, seed=seed)
    working.lake.lose(frozenset({*WRITING, "commitTransaction"}), share=share / 3, seed=seed)
    until(lambda: len(working.proxy.lost) > 60, "many answers were lost", timeout=60)
    working.proxy.lose(frozenset())
    working.lake.lose(frozenset())
    print({name: working.proxy.lost.count(name) for name in WRITING}, len(working.lake.lost))
    working.checked()


STEPS: dict[str, Callable[[Watched, Server], object]] = {
    "stepdown": lambda seen, _: seen.direct.admin.command("replSetStepDown", 60),
    "kill": lambda _, leader: leader.process.kill(),
    "stop": lambda _, leader: leader.process.terminate(),
    "freeze": lambda _, leader: leader.process.send_signal(signal.SIGSTOP),
}


@pytest.mark.chaos
@pytest.mark.parametrize("name", STEPS)
def test_another_member_becomes_primary(name: str, program: StartProgram, tmp_path: Path) -> None:
    seen = Watched()
    with running_set(3) as members, seen.observed(members[0].url, tmp_path, lake=members[0].url):
        seen.one = program("-m", "app", env={**ENV, "MONGO_URL": members[0].url})
        seen.working()
        leader = primary(members)
        assert leader is not None
        others = [member for member in members if member is not leader]
        began = time.monotonic()
        STEPS[name](seen, leader)
        until(lambda: primary(others), "another member is primary", timeout=60)
        report({"another primary": time.monotonic() - began})
        seen.over()
        seen.checked()


def test_a_command_gives_up_on_a_black_hole(program: StartProgram, tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text("version: 1\n")
    env = {"APP_ENV": "production", "SECRET_KEY": "a key of the journeys"}
    with Proxy(9) as proxy:
        proxy.silence(forget=True)
        url = f"mongodb://{proxy.host}/?replicaSet=tests"

        def start(words: tuple[str, ...]) -> Program:
            return program("-m", "app", *words, env={**env, "MONGO_URL": url}, ready=False, folder=tmp_path)

        began = time.monotonic()
        started = {name: start(words) for name, words in COMMANDS.items()}
        for name, one in started.items():
            assert one.wait() == NO_DATABASE, one.output
            assert "does not answer" in one.output
            report({name: time.monotonic() - began})
