"""`syncworker drill`: it finds what is broken, and takes everything away however it ends."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from app.drill import leftovers
from app.drill.course import Course, Kind
from app.drill.ground import ROWS
from app.drill.instances import InstanceFailed
from tests.app.command_line import Cli
from tests.conftest import StartProgram
from tests.servers import running_mongod
from tests.waiting import until
from worker.run import RunState, Trigger
from worker.store.runs import new_run

pytestmark = pytest.mark.own_database

Environment = Callable[..., dict[str, str]]
Client = pymongo.MongoClient[dict[str, Any]]
# How long another needs is a promise that an overloaded machine may break; what is counted must hold on any.
TIMED = {"takeover", "rescue"}


@pytest.fixture
def client(mongo_url: str) -> Iterator[Client]:
    with Client(mongo_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's drills make their folders."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def made(client: Client, database: str) -> list[str]:
    return [name for name in client.list_database_names() if name.startswith(f"{database}_drill_")]


def left(folder: Path) -> list[Path]:
    return list(folder.glob("syncworker-drill-*"))


# The course is played by one that only plants documents.


def play(course: Course, *, hole: bool = False) -> None:
    """What twelve jobs leave behind that fired three times each, and brought all their rows."""
    ground = course.ground
    ground.tick()
    database = ground.store.database
    for job in ground.ticking:
        saved = ground.store.jobs.get(job)
        assert saved.schedule is not None and saved.schedule.every is not None and saved.next_fire_time is not None
        moments = [saved.next_fire_time + number * timedelta(seconds=saved.schedule.every) for number in range(4)]
        for sequence, moment in enumerate(moments[:3], start=1):
            if hole and (job, sequence) == ("tick-05", 2):
                continue
            done = new_run(job, Trigger.SCHEDULE, state=RunState.SUCCEEDED, sequence=sequence, queued_at=moment)
            database["runs"].insert_one(done | {"fire_time": moment})
        database["jobs"].update_one({"_id": job}, {"$set": {"next_fire_time": moments[3]}})
        database.client[ground.lake][job].insert_many({"id": number} for number in range(1, ROWS + 1))


def test_a_drill_that_finds_all_in_order_exits_0(
    run: Cli, client: Client, mongo_database: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Course, "go", play)
    assert run("drill") == 0, run.out
    assert "36 checked: 0 duplicates, 0 holes (36 succeeded)" in run.out
    assert "all promises held that were tried; not tried: takeover" in run.out
    assert (made(client, mongo_database), left(temporary)) == ([], [])


def test_a_planted_hole_is_found_and_exits_1(run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Course, "go", lambda course: play(course, hole=True))
    assert run("drill", "--json") == 1
    assert run.json["ok"] is False
    (fire_times,) = [one for one in run.json["promises"] if one["held"] is False]
    assert (fire_times["promise"], fire_times["holes"]) == ("fire times", 1)
    assert re.fullmatch(r"tick-05: the fire time \S+ has no run", fire_times["broken"][0])
    assert "drilling on" in run.err


def test_an_error_is_told_and_leaves_nothing(
    run: Cli, client: Client, mongo_database: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(course: Course) -> None:
        raise InstanceFailed("pid 7, which nobody struck, ended with exit code 2")

    monkeypatch.setattr(Course, "go", fail)
    assert run("drill") == 1
    assert "pid 7, which nobody struck" in run.err
    assert (made(client, mongo_database), left(temporary)) == ([], [])


def test_what_is_kept_is_named_and_no_later_drill_drops_it(
    run: Cli, client: Client, mongo_database: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Course, "go", play)
    monkeypatch.setattr(leftovers, "OLD_SECONDS", -1)
    assert run("drill", "--keep") == 0
    kept = sorted(made(client, mongo_database))
    assert len(kept) == 2
    assert f"kept: the databases {kept[0]} and {kept[1]}" in run.out
    assert run("drill") == 0
    assert (sorted(made(client, mongo_database)), len(left(temporary))) == (kept, 1)
    for name in kept:
        client.drop_database(name)


def test_only_marked_databases_of_drills_that_are_over_are_dropped(
    run: Cli, client: Client, mongo_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Course, "go", play)
    gone, going, theirs, old = (f"{mongo_database}_drill_0000000{number}" for number in range(4))
    for name in (gone, going, old):
        leftovers.mark(client, name, kept=False)
    client[gone]["drill"].update_one({}, {"$set": {"began": "long ago"}})
    client[old]["drill"].update_one({}, [{"$set": {"made_at": {"$subtract": ["$$NOW", 3_700_000]}}}])
    client[theirs]["drill"].insert_one({"_id": "drill", "made_by": "somebody else"})
    assert run("drill") == 0
    assert sorted(made(client, mongo_database)) == [going, theirs]
    assert f"dropped {gone}, left over from an earlier drill: its drill (pid {os.getpid()}) is gone" in run.out
    assert f"dropped {old}, left over from an earlier drill: it is more than an hour old" in run.out
    for name in (going, theirs):
        client.drop_database(name)


def test_a_long_name_of_a_database_leaves_room_for_the_drills() -> None:
    name = leftovers.name_of("é" * 31)
    assert name.endswith("_drill_")
    assert len(f"{name}12345678_lake".encode()) <= 63


def test_a_user_who_may_not_make_databases_is_told_so(
    offline: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_text("c2VjcmV0c2VjcmV0")
    key.chmod(0o600)
    monkeypatch.setattr(Course, "go", play)
    with running_mongod(flags=["--keyFile", str(key)]) as server:
        with Client(port=server.port, directConnection=True) as local:  # the localhost exception, for the first user
            local.admin.command("createUser", "root", pwd="rootroot", roles=["root"])
        with Client(port=server.port, directConnection=True, username="root", password="rootroot") as root:
            narrow = [{"role": "readWrite", "db": "shop"}]
            root.admin.command("createUser", "narrow", pwd="geheimnis", roles=narrow)
            root.admin.command("createUser", "wide", pwd="geheimnis", roles=["readWriteAnyDatabase"])
            at = f"geheimnis@127.0.0.1:{server.port}/shop?authSource=admin"
            monkeypatch.setenv("MONGO_URL", f"mongodb://narrow:{at}")
            assert offline("drill") == 2
            assert "MONGO_URL names a user who may not create the database shop_drill_" in offline.err
            assert "readWriteAnyDatabase" in offline.err
            assert "geheimnis" not in offline.err
            monkeypatch.setenv("MONGO_URL", f"mongodb://wide:{at}")
            assert offline("drill") == 0, offline.out
            assert made(root, "shop") == []  # without the right to drop a database, its collections are dropped


# The real thing.


@pytest.mark.journey
def test_a_short_drill_holds_and_leaves_nothing(
    program: StartProgram, environment: Environment, client: Client, mongo_database: str, temporary: Path
) -> None:
    env = environment(TMPDIR=str(temporary))
    one = program("-m", "app", "drill", "--seconds", "1", "--json", env=env, ready=False)
    code = one.wait(timeout=110)
    told = json.loads(one.output[one.output.index("\n{") :])
    held = {finding["promise"]: finding for finding in told["promises"]}
    broken = {name for name, finding in held.items() if finding["held"] is False}
    assert broken <= TIMED, one.output
    assert code == (1 if broken else 0)
    assert [blow["kind"] for blow in told["blows"]] == [Kind.KILL]
    assert held["lease"]["tokens"][:2] == [1, 2]
    assert held["fire times"]["checked"] > 12
    assert (held["fire times"]["duplicates"], held["fire times"]["holes"]) == (0, 0)
    assert (held["rows"]["tables"], held["rows"]["lost"], held["rows"]["doubled"]) == (12, 0, 0)
    assert held["stop"]["clean"] == 3
    assert (made(client, mongo_database), left(temporary), one.processes()) == ([], [], [])
    assert mongo_database not in client.list_database_names()


@pytest.mark.journey
def test_told_to_stop_it_takes_everything_away(
    program: StartProgram, environment: Environment, client: Client, mongo_database: str, temporary: Path
) -> None:
    one = program("-m", "app", "drill", env=environment(TMPDIR=str(temporary)), ready=False)
    one.wait_for("3 instances run", timeout=100)
    assert one.terminate() == 1
    assert "the drill was broken off" in one.output
    assert (made(client, mongo_database), left(temporary), one.processes()) == ([], [], [])


@pytest.mark.journey
def test_what_a_drill_that_was_killed_left_behind_the_next_one_drops(
    program: StartProgram,
    environment: Environment,
    run: Cli,
    client: Client,
    mongo_database: str,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = program("-m", "app", "drill", env=environment(TMPDIR=str(temporary)), ready=False)
    until(lambda: len(one.processes()) == 4, "its three instances are there", timeout=60)
    one.kill()
    until(lambda: not one.processes(), "its instances are gone, too")
    assert len(made(client, mongo_database)) == 2
    monkeypatch.setattr(Course, "go", play)
    assert run("drill") == 0
    assert run.out.count("left over from an earlier drill: its drill") == 2
    assert (made(client, mongo_database), left(temporary)) == ([], [])


@pytest.mark.chaos
def test_a_whole_drill_tries_and_holds_every_promise(program: StartProgram, environment: Environment) -> None:
    one = program("-m", "app", "drill", env=environment(), ready=False)
    code = one.wait(timeout=110)
    print(one.output)
    assert (code, "all promises held (" in one.output) == (0, True), one.output


@pytest.mark.chaos
def test_a_run_that_vanishes_in_the_middle_of_a_drill_is_missed(
    program: StartProgram, environment: Environment, client: Client, mongo_database: str
) -> None:
    one = program("-m", "app", "drill", "--seconds", "1", env=environment(), ready=False)
    one.wait_for("quiet", timeout=100)
    (name,) = [name for name in made(client, mongo_database) if not name.endswith("_lake")]
    vanished = client[name]["runs"].find_one_and_delete({"state": "succeeded", "trigger": "schedule"})
    assert vanished is not None
    assert one.wait(timeout=110) == 1
    assert f"! {vanished['job_id']}: the fire time" in one.output
    assert "fire times" in one.wait_for("broken: ")
