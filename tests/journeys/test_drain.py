"""A drained instance leads and claims nothing more, ends what it works on, and comes back when it is let."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartProgram
from tests.journeys.test_three_instances import KEY, save_jobs, shop
from tests.program import Program
from tests.waiting import until
from worker.store import Store


def ask(program: Program, method: str, path: str) -> Any:
    request = urllib.request.Request(program.url + path, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


@pytest.mark.journey
def test_a_drained_instance_hands_over_and_takes_nothing_more(
    store: Store,
    mongo_url: str,
    mongo_database: str,
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    lake = f"{mongo_database}_lake"
    save_jobs(store, shop(tmp_path), mongo_url, lake)
    env = environment(APP_ENV="production", AUTH="none", SECRET_KEY=KEY, LEASE_TTL="4", CLAIM_TTL="6")
    first, second = (program("-m", "app", env=env) for _ in range(2))
    first.wait_ready(), second.wait_ready()
    until(lambda: len(store.instances.list()) == 2, "both are seen")
    ids = {one["pid"]: one["_id"] for one in store.instances.list()}
    lease: dict[str, Any] = until(lambda: (held := store.leases.current()) and held["live"] and held, "one leads")
    holder, other = (first, second) if ids[first.pid] == lease["instance"] else (second, first)
    drained, left = ids[holder.pid], ids[other.pid]
    until(lambda: worked(store, drained), "the leader has done some of the work", timeout=60)

    assert ask(other, "POST", f"/api/instances/{drained}/drain")["draining"] is True
    until(lambda: (store.leases.current() or {}).get("instance") == left, "the other leads")
    term = store.database["lease_terms"].find_one({"_id": lease["token"]})
    assert term is not None and term["how"] == "released"
    until(lambda: not running(store, drained), "what it worked on has ended")
    done, others = worked(store, drained), worked(store, left)
    until(lambda: worked(store, left) >= others + 30, "the other goes on with all jobs", timeout=60)
    assert worked(store, drained) == done and holder.status("/readyz") == 200
    facts = {one["id"]: one for one in ask(other, "GET", "/api/instances")["items"]}
    assert facts[drained]["draining"] and not facts[left]["draining"]
    assert all(10_000_000 < one["rss_bytes"] < 1_000_000_000 and one["slots"] == 4 for one in facts.values())

    ask(other, "POST", f"/api/instances/{left}/drain")
    warned = until(lambda: ask(other, "GET", "/api/status")["warnings"], "nobody is left to lead, and that is said")
    assert [one["kind"] for one in warned] == ["no_leader"] and "drains" in warned[0]["message"]
    assert ask(holder, "POST", f"/api/instances/{drained}/undrain")["draining"] is False
    until(lambda: worked(store, drained) > done, "it works again", timeout=60)
    for one in (first, second):
        assert one.terminate() == 0


def worked(store: Store, instance: str) -> int:
    return store.database["runs"].count_documents({"attempts.instance": instance})


def running(store: Store, instance: str) -> int:
    return store.database["runs"].count_documents({"state": "running", "claim.instance": instance})
