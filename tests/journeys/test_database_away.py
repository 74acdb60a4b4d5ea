"""MongoDB goes silent and comes back: the process stays, says so, and goes on by itself."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from typing import Any

import pymongo
import pytest

from tests.conftest import StartProgram, missing
from tests.program import Program
from tests.servers import MissingServer, mongod_program, running_mongod
from tests.waiting import until

pytestmark = pytest.mark.journey
ENV = {"APP_ENV": "production", "SECRET_KEY": "a key of the journeys", "AUTH": "none", "LEASE_TTL": "3"}


def lease(one: Program) -> dict[str, Any]:
    with urllib.request.urlopen(f"{one.url}/api/status", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)["lease"]
    return found


def test_a_database_that_freezes_is_told_and_survived(program: StartProgram) -> None:
    try:
        mongod_program()
    except MissingServer as reason:
        missing(reason)
    with running_mongod() as server:
        with pymongo.MongoClient[dict[str, Any]](server.url) as client:
            pid = int(client.admin.command("serverStatus")["pid"])
        one = program(env={**ENV, "MONGO_URL": server.url, "MONGO_DATABASE": "away"})
        until(lambda: lease(one)["live"], "it leads")
        before = lease(one)["token"]
        os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: one.status("/readyz") == 503, "it says that it is not ready")
            assert one.status("/healthz") == 200
            assert one.status("/api/jobs") == 503
            one.wait_for("leads no more")
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: one.status("/readyz") == 200, "it is ready again")
        until(lambda: lease(one)["live"], "it leads again")
        assert lease(one)["token"] > before
        assert one.terminate() == 0
