"""JOBS_FILE: applied at start and when its content changes; broken or gone, the last good state stays."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from worker import jobs_file as room
from worker.apply import apply
from worker.declaration import load
from worker.errors import StoreUnavailable
from worker.finding import Finding, Kind
from worker.jobs_file import JobsFile
from worker.presence import Presence
from worker.store import Store
from worker.vault import Vault
from worker.watchdog import findings

VAULT = Vault(["a key of the tests, long"])
JOB = "{source: shop, destination: shop, streams: [{name: a, target: b}]}"
FILE = "version: 1\nconnections:\n  shop: {type: sqlite, path: shop.db}\njobs:\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.yaml"


def jobs(*names: str) -> str:
    return FILE + "".join(f"  {name}: {JOB}\n" for name in names)


def settle(watched: JobsFile) -> None:
    """Look until what is there was taken."""
    while watched.turn() != room.POLL:
        pass


def owners(store: Store) -> dict[str, str | None]:
    return {job.id: job.owner for job in store.jobs.list()}


def watching(store: Store, path: Path, name: str = "one") -> tuple[JobsFile, Presence]:
    """A watched file and the heartbeat that tells of it."""
    watched = JobsFile(path, store, VAULT, instance=name)
    presence = Presence(store, name, host=name, mode="worker", active=list)
    presence.jobs_file = watched.told
    presence.turn()
    settle(watched)
    presence.turn()
    return watched, presence


def told(store: Store) -> list[Finding]:
    return [one for one in findings(store) if one.kind is Kind.JOBS_FILE]


def test_it_is_applied_at_start_and_when_it_changes(store: Store, path: Path) -> None:
    path.write_text(jobs("one"))
    watched = JobsFile(path, store, VAULT)
    settle(watched)
    assert owners(store) == {"one": str(path)}
    path.write_text(jobs("one", "two"))
    settle(watched)
    assert list(owners(store)) == ["one", "two"]


def test_what_it_names_no_longer_stays_but_belongs_to_nobody(store: Store, path: Path) -> None:
    path.write_text(jobs("one", "two"))
    watched = JobsFile(path, store, VAULT)
    settle(watched)
    path.write_text(jobs("two"))
    settle(watched)
    assert owners(store) == {"one": None, "two": str(path)}


def test_half_a_file_that_is_still_being_written_is_not_taken(store: Store, path: Path) -> None:
    path.write_text(jobs("one", "two"))
    watched = JobsFile(path, store, VAULT)
    settle(watched)
    path.write_text(jobs("one"))  # valid as far as it goes: `two` would be let go
    assert watched.turn() == room.SETTLE
    path.write_text(jobs("one", "two", "three"))
    assert watched.turn() == room.SETTLE
    assert list(owners(store)) == ["one", "two"]
    settle(watched)
    assert owners(store) == dict.fromkeys(["one", "three", "two"], str(path))


def _folder_in_its_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "broken": (lambda path: path.write_text(FILE + "  one: {surce: x}\n"), "is broken: 4 mistakes"),
    "empty": (lambda path: path.write_text(""), "is broken: 1 mistake"),
    "no text": (lambda path: path.write_bytes(b"\xff\xfe\x00"), "is broken: 1 mistake"),
    "gone": (lambda path: path.unlink(), "cannot be read (No such file"),
    "a folder": (_folder_in_its_place, "cannot be read (Is a directory"),
    "a link to itself": (_loop, "cannot be read (Too many levels"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_spoilt_the_last_good_state_stays_and_that_is_said_once(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    spoil, said = SPOILT[how]
    path.write_text(jobs("one"))
    watched, presence = watching(store, path)
    before = store.jobs.list()
    caplog.set_level(logging.ERROR)
    spoil(path)
    for _ in range(2):
        settle(watched)
    presence.turn()
    assert store.jobs.list() == before
    messages = [record.getMessage() for record in caplog.records]
    assert sum("the last good state stays" in message for message in messages) == 1
    assert any(said in message for message in messages)
    (finding,) = told(store)
    assert said in finding.message
    assert (finding.subject, finding.since is not None) == ("one", True)
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_text(jobs("one", "two"))
    settle(watched)
    presence.turn()
    assert list(owners(store)) == ["one", "two"]
    assert told(store) == []


def test_a_file_that_comes_back_as_it_was_is_good_again(store: Store, path: Path) -> None:
    path.write_text(jobs("one"))
    watched, presence = watching(store, path)
    path.rename(path.with_suffix(".away"))
    settle(watched)
    path.with_suffix(".away").rename(path)
    settle(watched)
    presence.turn()
    assert told(store) == []


def test_a_mistake_is_told_with_its_place(store: Store, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text("version: 1\njobs:\n  one: {surce: x}\n")
    watching(store, path)
    assert f"{path}:3:9: jobs.one.surce: is not known here; did you mean source?" in caplog.text
    (finding,) = told(store)
    assert f"{path}:3:3: jobs.one.source: is missing" in finding.message


def test_a_mounted_folder_that_is_swapped_by_its_link_is_seen(store: Store, tmp_path: Path) -> None:
    """As Kubernetes changes a ConfigMap: jobs.yaml -> ..data/jobs.yaml, ..data -> another folder, renamed in place."""
    for number, names in enumerate((["one"], ["one", "two"])):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "jobs.yaml").write_text(jobs(*names))
    (tmp_path / "..data").symlink_to("..0")
    path = tmp_path / "jobs.yaml"
    path.symlink_to("..data/jobs.yaml")
    watched = JobsFile(path, store, VAULT)
    settle(watched)
    assert owners(store) == {"one": str(path)}
    (tmp_path / "..data_tmp").symlink_to("..1")
    os.replace(tmp_path / "..data_tmp", tmp_path / "..data")
    settle(watched)
    assert owners(store) == {"one": str(path), "two": str(path)}


def test_a_job_that_an_operator_disabled_stays_so_until_the_file_changes(store: Store, path: Path) -> None:
    path.write_text(jobs("one"))
    settle(JobsFile(path, store, VAULT))
    store.jobs.set_enabled("one", False, None)
    watched = JobsFile(path, store, VAULT)  # another start
    settle(watched)
    assert not store.jobs.get("one").enabled
    path.write_text(jobs("one", "two"))
    settle(watched)
    assert store.jobs.get("one").enabled


def test_what_others_change_behind_its_back_is_told_and_mended_at_the_next_start(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOOK_AROUND", 0.0)
    path.write_text(jobs("one"))
    watched, presence = watching(store, path)
    store.jobs.set_enabled("one", False, None)
    watched.turn()
    presence.turn()
    assert told(store) == []  # an operator's right
    apply(store, VAULT, load(jobs("one").replace("target: b", "target: c")))
    watched.turn()
    presence.turn()
    (finding,) = told(store)
    assert "changed elsewhere" in finding.message and "job one" in finding.message
    assert store.jobs.get("one").streams[0].target == "c"
    settle(JobsFile(path, store, VAULT))
    watched.turn()
    presence.turn()
    assert store.jobs.get("one").streams[0].target == "b"
    assert told(store) == []


def test_two_files_that_are_watched_do_not_both_say_what_one_job_is(store: Store, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(jobs("one"))
    second.write_text(jobs("one").replace("target: b", "target: c"))
    _, presence = watching(store, first, "one")
    watched, other = watching(store, second, "two")
    (finding,) = told(store)
    assert f"job one belongs to {first}, which a running instance watches" in finding.message
    assert owners(store) == {"one": str(first)}
    presence.leave()
    settle(watched)
    other.turn()
    assert owners(store) == {"one": str(second)}
    assert told(store) == []


def test_instances_with_different_versions_of_the_file_are_told_apart(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from worker import watchdog

    path = tmp_path / "jobs.yaml"
    path.write_text(jobs("one"))
    watching(store, path, "old")
    path.write_text(jobs("one", "two"))
    watching(store, path, "new")
    assert told(store) == []  # as long as a roll-out takes
    monkeypatch.setattr(watchdog, "LATE", timedelta())
    (finding,) = told(store)
    assert "instance old" in finding.message and "has another version" in finding.message


def test_jobs_of_a_file_that_nobody_watches_any_more_are_told_and_can_be_let_go(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from worker import watchdog

    path.write_text(jobs("one", "two"))
    settle(JobsFile(path, store, VAULT))
    Presence(store, "other", host="other", mode="worker", active=list).turn()
    monkeypatch.setattr(watchdog, "LATE", timedelta(seconds=-1))
    (finding,) = told(store)
    assert f"job one and 1 more belong to {path}, which no running instance watches" in finding.message
    assert store.declared.release(str(path)) == [("connection", "shop"), ("job", "one"), ("job", "two")]
    assert owners(store) == {"one": None, "two": None}
    assert store.connections(VAULT).get("shop").owner is None
    assert told(store) == []


def test_an_absent_database_is_asked_again(path: Path, store: Store, free_port: int) -> None:
    import worker.store

    path.write_text(jobs("one"))
    away = worker.store.open(f"mongodb://127.0.0.1:{free_port}/", "nothing", timeout=0.1)
    watched = JobsFile(path, away, VAULT)
    assert watched.turn() == room.SETTLE
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            watched.turn()
    away.close()
    watched._store = store
    watched.turn()
    assert list(owners(store)) == ["one"]
