"""An apply is all or nothing: whatever is refused, changed meanwhile or dies in the middle of it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import worker.store
from tests import servers
from worker import apply as room
from worker.apply import Declined, Owner, apply, plan, record
from worker.change import Change
from worker.declaration import load
from worker.errors import Conflict, JobActive
from worker.export import export
from worker.run import Trigger
from worker.store import Store
from worker.store.declared import Declared
from worker.vault import Vault

KEY = "a key of the tests, long"
VAULT = Vault([KEY])
HEAD = "version: 1\nconnections:\n  lake: {type: sqlite, path: lake.db}\n"
JOB = "{source: shop, destination: lake, schedule: {every: 15m}, streams: [{name: a, target: %s}]}"


def file(marker: str, *jobs: str) -> str:
    """Every job and the shop say `marker`."""
    shop = f"  shop: {{type: sqlite, path: {marker}.db}}\n"
    return HEAD + shop + "jobs:\n" + "".join(f"  {name}: {JOB % marker}\n" for name in jobs)


OLD = file("old", "gone", "one", "two")
NEW = file("new", "one", "three", "two")


def state(store: Store) -> dict[str, Any]:
    """All that an apply may touch, as stored, without times."""
    names = ("jobs", "connections", "checkpoints", "declared")
    return {
        name: [
            {field: value for field, value in one.items() if field not in ("_id" if name == "checkpoints" else "")}
            for one in store.database[name].find().sort("_id", 1)
        ]
        for name in names
    }


def checkpoint(store: Store, job_id: str) -> None:
    store.checkpoints.save(job_id, "a", {"by": ["id"]}, run_id="r", sequence=1, token=1)


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[Store]:
    """A store on a server without transactions."""
    with servers.running_standalone() as server:
        store = worker.store.open(server.url, "standalone")
        store.ensure_indexes()
        yield store
        store.close()


# Refused.


def test_a_job_at_work_refuses_the_whole_apply(store: Store) -> None:
    apply(store, VAULT, load(OLD))
    run = store.runs.create("gone", Trigger.MANUAL)
    before = state(store)
    (blocked,) = [one for one in plan(store, VAULT, load(NEW), prune=True) if one.blocked]
    assert (blocked.mark, blocked.id) == ("-", "gone")
    assert run["_id"] in str(blocked.blocked)
    with pytest.raises(JobActive, match=run["_id"]):
        apply(store, VAULT, load(NEW), prune=True)
    assert state(store) == before


def test_without_transactions_too_nothing_is_begun_that_is_refused(standalone: Store) -> None:
    apply(standalone, VAULT, load(OLD))
    standalone.runs.create("gone", Trigger.MANUAL)
    before = state(standalone)
    with pytest.raises(JobActive):
        apply(standalone, VAULT, load(NEW), prune=True)
    assert state(standalone) == before
    apply(standalone, VAULT, load(NEW))
    assert {job.id for job in standalone.jobs.list()} == {"gone", "one", "three", "two"}


def test_what_fails_in_the_middle_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(store, VAULT, load(OLD))
    before = state(store)

    def fail(*_: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(Declared, "remove", fail)
    with pytest.raises(RuntimeError):
        apply(store, VAULT, load(NEW), prune=True)
    assert state(store) == before


def test_who_does_not_agree_changes_nothing(store: Store) -> None:
    apply(store, VAULT, load(OLD))
    before = state(store)
    with pytest.raises(Declined):
        apply(store, VAULT, load(NEW), prune=True, agree=lambda changes: False)
    assert state(store) == before


def test_a_secret_that_we_cannot_read_is_not_written_over(store: Store) -> None:
    secret = 'version: 1\nconnections:\n  lake: {type: mongodb, url: "mongodb://u:geheim@h/", database: d}\n'
    apply(store, VAULT, load(secret))
    stranger = Vault(["another key of the tests"])
    shown = export(store, stranger)
    assert "url: ${LAKE_URL}" in shown
    with pytest.raises(Conflict, match="sealed under another SECRET_KEY"):
        apply(store, stranger, load(shown.replace("database: d", "database: e")))
    apply(store, VAULT, load(secret), owner=Owner(file="jobs.yaml"))
    apply(store, stranger, load("version: 1\n"), owner=Owner(file="jobs.yaml"))
    kept = store.connections(VAULT).get("lake")
    assert (kept.owner, kept.settings["url"]) == (None, "mongodb://u:geheim@h/")


# Changed meanwhile.


def test_an_edit_between_plan_and_apply_is_planned_anew(store: Store) -> None:
    apply(store, VAULT, load(OLD))
    seen: list[list[Change]] = []

    def meddle(changes: list[Change]) -> bool:
        seen.append(changes)
        if len(seen) == 1:
            apply(store, VAULT, load(OLD.replace("old, streams", "old, streams").replace("15m", "5m")))
        return True

    done = apply(store, VAULT, load(NEW), agree=meddle)
    assert len(seen) == 2
    assert done == seen[1] != seen[0]
    assert any("every: 5m" in detail for one in done for detail in one.details)
    assert plan(store, VAULT, load(NEW)) == []


def test_of_two_that_apply_at_once_one_wins_wholly(store: Store) -> None:
    apply(store, VAULT, load(OLD))
    names = [f"job{number}" for number in range(40)]
    for _ in range(3):
        barrier = threading.Barrier(2)
        failed: list[Exception] = []

        def one(marker: str) -> None:
            barrier.wait()  # noqa: B023 - joined before the next round
            try:
                apply(store, VAULT, load(file(marker, *names)), prune=True)
            except Conflict as error:
                failed.append(error)  # noqa: B023

        threads = [threading.Thread(target=one, args=(marker,)) for marker in ("left", "right")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said = {job.streams[0].target for job in store.jobs.list(limit=0)}
        said.add(store.connections(VAULT).get("shop").settings["path"].removesuffix(".db"))
        assert len(said) == 1, (said, failed)
        assert [job.id for job in store.jobs.list(limit=0)] == sorted(names)


def test_the_scheduler_may_move_a_job_on_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It changes the document without a new revision: the transaction meets it and is tried again."""
    from worker.store.jobs import Advance

    apply(store, VAULT, load(OLD))
    due = store.jobs.get("one").next_fire_time
    assert due is not None
    change = Declared.change

    def meddle(declared: Declared, jobs: Any) -> None:
        monkeypatch.setattr(Declared, "change", change)
        other = threading.Thread(
            target=lambda: store.jobs.advance(
                [Advance(job_id="one", planned_from=due, next_fire_time=None, last_sequence=7)], token=1
            )
        )
        other.start()
        other.join()
        change(declared, jobs)

    monkeypatch.setattr(Declared, "change", meddle)
    apply(store, VAULT, load(NEW))
    assert store.jobs.get("one").last_sequence == 7
    assert plan(store, VAULT, load(NEW)) == []


# Dies in the middle.


@pytest.mark.timeout(300)
def test_killed_at_any_write_it_leaves_the_old_or_the_new(store: Store, mongo_url: str, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(NEW)
    apply(store, VAULT, load(OLD))
    for job in ("gone", "one"):
        checkpoint(store, job)
    old = export(store, VAULT)
    before = state(store)
    apply(store, VAULT, load(NEW), prune=True)
    new = export(store, VAULT)
    outcomes = []
    for after in range(1, 40):
        apply(store, VAULT, load("version: 1\n"), prune=True)
        for name, documents in before.items():
            store.database[name].delete_many({})
            if documents:
                store.database[name].insert_many(documents)
        command = [sys.executable, "-m", "tests.worker.apply_child", mongo_url, store.database.name, str(path), KEY]
        child = subprocess.run([*command, str(after)], capture_output=True, text=True, check=False, timeout=60)
        store.database.client.admin.command(
            "killAllSessions", []
        )  # the server would end its transaction within a minute
        now = export(store, VAULT)
        assert now in (old, new), f"a mixture after write {after}"
        assert (now == new) == (store.declared.applied(str(path)) is not None)
        kept = {(one["job_id"], one["stream"]) for one in store.database["checkpoints"].find()}
        assert kept == ({("one", "a")} if now == new else {("gone", "a"), ("one", "a")})
        outcomes.append(now == new)
        if "done" in child.stdout:
            break
    assert outcomes[0] is False and outcomes[-1] is True
    assert len(outcomes) > 5, "there were fewer writes than a transaction of this has"


# Much of it, and what is told.


def test_ten_thousand_jobs_are_one_transaction(store: Store) -> None:
    declared = load(file("many", *(f"job{number:05}" for number in range(10_000))))
    apply(store, VAULT, declared)
    assert plan(store, VAULT, declared) == []


def test_what_was_applied_is_in_the_audit_and_no_secret(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    who = Owner(file="jobs.yaml").who
    secret = 'version: 1\nconnections:\n  lake: {type: mongodb, url: "mongodb://u:geheim@h/", database: d}\n'
    for text in (secret, secret.replace("geheim", "geheimer").replace(" d}", " e}"), "version: 1\n"):
        record(store, who, apply(store, VAULT, load(text), prune=True))
    found = [(one["action"], one["subject"], one["before"], one["after"]) for one in store.audit.list()]
    assert found[::-1] == [
        ("connection.create", "connections/lake", None, {"type": "mongodb", "url": "changed", "database": "d"}),
        (
            "connection.update",
            "connections/lake",
            {"url": "changed", "database": "d"},
            {"url": "changed", "database": "e"},
        ),
        ("connection.delete", "connections/lake", {"type": "mongodb", "url": "changed", "database": "e"}, None),
    ]
    assert {one["via"] for one in store.audit.list()} == {"jobs_file"}
    monkeypatch.setattr(room, "RECORDED", 1)
    record(store, who, apply(store, VAULT, load(OLD)))
    assert store.audit.list(limit=1)[0]["after"] == {"added": 5}
