"""SIGTERM while MongoDB is frozen or gone: nothing can be recorded; it ends in time, and the rest expires by itself."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import StartProgram, missing
from tests.journeys import moments
from tests.journeys.moments import GRACE, KEY, NOISE, PROMISED, WAYS, Scene
from tests.servers import MissingServer, Server, mongod_program, running_mongod
from tests.waiting import until
from worker import store as stores

pytestmark = [pytest.mark.journey]
NAME = "away"
ONE, TWO = [signal.SIGTERM], [signal.SIGTERM, signal.SIGINT]
# By frozen servers nothing is refused and nothing is answered; by dead ones everything is refused.
FAULTS = {"frozen": signal.SIGSTOP, "killed": signal.SIGKILL}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A mongod of this test's own."""
    try:
        mongod_program()
    except MissingServer as reason:
        missing(reason)
    with running_mongod(folder=tmp_path / "mongod") as one:
        yield one


@pytest.fixture
def scene(server: Server, program: StartProgram, postgres_database: str, tmp_path: Path) -> Iterator[Scene]:
    with closing(stores.open(server.url, NAME)) as store:
        store.ensure_indexes()
        env = {"MONGO_URL": server.url, "MONGO_DATABASE": NAME, "SECRET_KEY": KEY, "LEASE_TTL": "2", "CLAIM_TTL": "4"}
        made = Scene(store=store, folder=tmp_path, start=program, postgres=postgres_database, env=env)
        with made.ends:
            yield made


@pytest.mark.parametrize("numbers", [ONE, pytest.param(TWO, marks=pytest.mark.chaos)], ids=["once", "twice"])
@pytest.mark.parametrize("fault", ["frozen", pytest.param("killed", marks=pytest.mark.chaos)])
@pytest.mark.parametrize("way", ["one process", *(pytest.param(w, marks=pytest.mark.chaos) for w in list(WAYS)[1:])])
@pytest.mark.parametrize("isolation", ["thread", pytest.param("process", marks=pytest.mark.chaos)])
def test_it_ends_in_time_and_another_goes_on(
    way: str, fault: str, isolation: str, numbers: list[signal.Signals], scene: Scene, server: Server
) -> None:
    scene.way = way
    scene.env |= {"RUN_ISOLATION": isolation, "SHUTDOWN_GRACE": str(GRACE if len(numbers) == 1 else 60)}
    one = moments.writing(scene)
    server.process.send_signal(FAULTS[fault])
    for number in numbers:
        one.signal(number)
    assert one.wait(GRACE + PROMISED + NOISE) == 0, one.output
    assert one.processes() == []
    if fault == "killed":
        return
    server.process.send_signal(signal.SIGCONT)
    scene.begin()
    until(lambda: scene.run()["finished_at"], "another goes on to its end", timeout=60)
    assert scene.run()["state"] == "succeeded", scene.run()["error"]
    assert (
        scene.rows("SELECT count(*) FROM items") == scene.rows("SELECT count(DISTINCT id) FROM items") == moments.ROWS
    )


@pytest.mark.chaos
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("way", WAYS)
def test_idle_it_ends_in_time_too(way: str, fault: str, scene: Scene, server: Server) -> None:
    scene.way = way
    scene.env["SHUTDOWN_GRACE"] = str(GRACE)
    one = moments.idle(scene)
    server.process.send_signal(FAULTS[fault])
    one.signal(signal.SIGTERM)
    assert one.wait(GRACE + PROMISED + NOISE) == 0, one.output
    assert one.processes() == []
