"""JOBS_FILE: applied at start and when its content changes; broken or gone, the last good state stays."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from worker.errors import StoreUnavailable
from worker.jobs_file import JobsFile
from worker.store import Store
from worker.vault import Vault

VAULT = Vault(["a key of the tests, long"])
JOB = "{source: shop, destination: shop, streams: [{name: a, target: b}]}"
FILE = "version: 1\nconnections:\n  shop: {type: sqlite, path: shop.db}\njobs:\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.yaml"


def test_it_is_applied_at_start_and_when_it_changes(store: Store, path: Path) -> None:
    path.write_text(FILE + f"  one: {JOB}\n")
    watched = JobsFile(path, store, VAULT)
    watched.turn()
    assert [(job.id, job.owner) for job in store.jobs.list()] == [("one", str(path))]
    path.write_text(FILE + f"  one: {JOB}\n  two: {JOB}\n")
    watched.turn()
    assert [job.id for job in store.jobs.list()] == ["one", "two"]


def test_what_it_names_no_longer_stays_but_belongs_to_nobody(store: Store, path: Path) -> None:
    path.write_text(FILE + f"  one: {JOB}\n  two: {JOB}\n")
    watched = JobsFile(path, store, VAULT)
    watched.turn()
    path.write_text(FILE + f"  two: {JOB}\n")
    watched.turn()
    assert [(job.id, job.owner) for job in store.jobs.list()] == [("one", None), ("two", str(path))]


def test_broken_or_gone_the_last_good_state_stays_and_that_is_said_once(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(FILE + f"  one: {JOB}\n")
    watched = JobsFile(path, store, VAULT)
    watched.turn()
    before = store.jobs.list()
    caplog.set_level(logging.ERROR)
    for spoil, said in ((lambda: path.write_text(FILE + "  one: {surce: x}\n"), "is broken"), (path.unlink, "read")):
        caplog.clear()
        spoil()
        watched.turn()
        watched.turn()
        assert store.jobs.list() == before
        messages = [record.getMessage() for record in caplog.records]
        assert sum("the last good state stays" in message for message in messages) == 1
        assert any(said in message for message in messages)
    path.write_text(FILE + f"  one: {JOB}\n  two: {JOB}\n")
    watched.turn()
    assert [job.id for job in store.jobs.list()] == ["one", "two"]


def test_a_mistake_is_logged_with_its_place(store: Store, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text("version: 1\njobs:\n  one: {surce: x}\n")
    JobsFile(path, store, VAULT).turn()
    assert f"{path}:3:9: jobs.one.surce: is not known here; did you mean source?" in caplog.text


def test_an_absent_database_is_asked_again(path: Path, store: Store, free_port: int) -> None:
    import worker.store

    path.write_text(FILE + f"  one: {JOB}\n")
    away = worker.store.open(f"mongodb://127.0.0.1:{free_port}/", "nothing", timeout=0.1)
    watched = JobsFile(path, away, VAULT)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            watched.turn()
    away.close()
    watched._store = store
    watched.turn()
    assert [job.id for job in store.jobs.list()] == ["one"]
