"""JOBS_FILE through the real program: watched, broken, killed in the middle, and told from outside."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartProgram
from tests.program import Program
from tests.waiting import until
from worker.store import Store

pytestmark = pytest.mark.journey
Environment = Callable[..., dict[str, str]]
HEAD = "version: 1\nconnections:\n  shop: {type: sqlite, path: shop.db}\n  lake: {type: sqlite, path: lake.db}\njobs:\n"


def jobs(*names: str) -> str:
    lines = [
        f"  {name}: {{source: shop, destination: lake, streams: [{{name: items, target: {name}}}]}}" for name in names
    ]
    return HEAD + "\n".join(lines) + "\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.execute("CREATE TABLE items (id INTEGER PRIMARY KEY)")
    (folder / "jobs.yaml").write_text(jobs("one", "two"))
    return folder


def asked(one: Program, path: str) -> Any:
    return json.loads(one.text(path))


def warnings(one: Program) -> list[str]:
    return [each["message"] for each in asked(one, "/api/status")["warnings"] if each["kind"] == "jobs_file"]


def owners(one: Program) -> dict[str, str | None]:
    return {job["id"]: job["owner"] for job in asked(one, "/api/jobs")["items"]}


def test_it_is_watched_and_what_is_wrong_with_it_is_told(
    program: StartProgram, environment: Environment, place: Path
) -> None:
    env = environment(ENABLE_SYNC_WORKER="true", JOBS_FILE="jobs.yaml")
    one = program("-m", "app", "api", env=env, folder=place)
    mine = str(place / "jobs.yaml")
    until(lambda: owners(one) == {"one": mine, "two": mine}, "the file is applied")
    (place / "jobs.yaml").write_text(jobs("one", "two").replace("source", "sorce", 1))
    until(lambda: warnings(one), "the mistake is told")
    (told,) = warnings(one)
    assert "jobs.yaml:6:9: jobs.one.sorce: is not known here; did you mean source?" in told
    assert "the last good state stays" in told
    for verb in ("check", "status"):
        command = program("-m", "app", verb, env=environment(), folder=place, ready=False)
        command.wait(60)
        assert "jobs.yaml is broken" in command.output
    (place / "jobs.yaml").unlink()
    until(lambda: any("cannot be read" in each for each in warnings(one)), "that it is gone is told")
    assert len(owners(one)) == 2
    (place / "jobs.new").write_text(jobs("one", "three"))
    (place / "jobs.new").rename(place / "jobs.yaml")
    until(lambda: owners(one) == {"one": mine, "three": mine, "two": None}, "the new file is applied")
    until(lambda: warnings(one) == [], "nothing is wrong any more")
    assert one.terminate() == 0


def test_killed_as_soon_as_it_is_seen_to_apply_it_has_applied_all(
    program: StartProgram, environment: Environment, place: Path, store: Store
) -> None:
    names = [f"job{number:03}" for number in range(300)]
    for marker in ("first", "second", "third"):
        (place / "jobs.yaml").write_text(jobs(*names).replace("target: ", f"target: {marker}_"))
        one = program("-m", "worker", env=environment(JOBS_FILE="jobs.yaml"), folder=place, ready=False)
        until(partial(applied, store, marker), f"a job of the {marker} file is there", timeout=60)
        one.signal(signal.SIGKILL)
        one.wait()
        assert markers(store) == [marker] * 300, "a part of the file was applied"


def markers(store: Store) -> list[str]:
    return [job.streams[0].destination_name.partition("_")[0] for job in store.jobs.list(limit=0)]


def applied(store: Store, marker: str) -> bool:
    return marker in markers(store)
