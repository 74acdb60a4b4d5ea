"""Wall clocks that are wrong: the database's jumps while two instances work, an instance's own is an hour off."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartProgram, missing
from tests.journeys import checker
from tests.journeys.outage import ENV, TICKERS, Watched, ask, report
from tests.servers import MissingServer, faked_clock, mongod_program, running_mongod
from tests.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.chaos]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _needed() -> None:
    try:
        mongod_program()
        faked_clock("+0")
    except MissingServer as reason:
        missing(reason)


def led_anew(seen: Watched, token: int) -> None:
    """Wait until a term that began after the jump is renewed; print how long that took."""
    began = time.monotonic()
    gained = until(lambda: seen.lease() if seen.lease()["token"] > token else None, "somebody leads anew")
    report({"a new term": time.monotonic() - began})
    until(lambda: seen.lease()["renewed_at"] > gained["renewed_at"], "the term is renewed")


def promises_on_any_clock(database: Any, interval: timedelta) -> list[str]:
    """The checks that do not order what happened by the server's clock: over a jump back, that order is wrong.

    That no two attempts worked at once shows in the rows instead: appended exactly once, whoever held the claim.
    """
    runs = list(database["runs"].find())
    return [
        *checker.fire_times_without_holes(runs, interval),
        *checker.told_why(runs, interval),
        *checker.one_active_run(runs),
        *checker.claims_only_grow(runs),
        *checker.attempts_are_counted(runs),
        *checker.nothing_left_running(runs),
    ]


def test_the_databases_clock_jumps(program: StartProgram, tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    seen = Watched()
    with running_mongod(env=faked_clock(offset)) as server, seen.observed(server.url, tmp_path, lake=server.url):
        env = {**ENV, "MONGO_URL": server.url}
        seen.one, other = program(env=env), program(env=env)
        seen.working()

        token = seen.lease()["token"]
        offset.write_text("+60\n")
        led_anew(seen, token)
        done = seen.done()
        until(lambda: seen.done() > done + 2 * len(TICKERS), "runs succeed after the jump ahead", timeout=40)

        # Back by 120 s: what was planned is done, so the jobs wait for fire times that nobody has seen yet.
        token = seen.lease()["token"]
        offset.write_text("-60\n")
        led_anew(seen, token)
        planned = seen.database["runs"].count_documents({"trigger": "schedule"})
        until(lambda: ask(seen.one, "/api/jobs/manual/run", "POST").status == 202, "a person asks for a run")
        succeeded = {"job_id": "manual", "state": "succeeded"}
        until(lambda: seen.database["runs"].find_one(succeeded), "that run is not held up")
        assert seen.database["runs"].count_documents({"trigger": "schedule"}) == planned

        offset.write_text("+90\n")
        done = seen.done()
        until(lambda: seen.done() > done + len(TICKERS), "scheduling goes on at the next new fire time", timeout=40)
        assert other.terminate() == 0, other.output
        seen.checked(promises_on_any_clock)


def test_an_instance_whose_own_clock_is_an_hour_off_does_no_harm(program: StartProgram, tmp_path: Path) -> None:
    seen = Watched()
    with running_mongod() as server, seen.observed(server.url, tmp_path, lake=server.url):
        env = {**ENV, "MONGO_URL": server.url}
        seen.one = program(env={**env, **faked_clock("+3600")})
        other = program(env={**env, **faked_clock("-3600")})
        for instance, wrong in ((seen.one, HOUR), (other, -HOUR)):
            said = datetime.fromisoformat(json.loads(instance.wait_for("listening on"))["at"])
            assert abs(said - datetime.now(UTC) - wrong) < HOUR / 2  # the clock is faked indeed
        seen.working()
        token = seen.lease()["token"]
        until(lambda: seen.done() > 5 * len(TICKERS), "runs succeed", timeout=60)
        assert seen.lease()["token"] == token

        assert seen.one.terminate() == 0, seen.one.output
        seen.one = other
        until(lambda: seen.lease()["token"] > token, "the other leads where the first did")
        seen.checked()
        for run in seen.database["runs"].find({"trigger": "schedule"}):
            assert timedelta(0) <= run["queued_at"] - run["fire_time"] < HOUR / 2, run
        assert seen.database["runs"].count_documents({"state": "running"}) == 0
