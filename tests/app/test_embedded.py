"""The local mongod: started on a kept port, shared by those who use the same DATA_DIR, gone with its owner."""

from __future__ import annotations

import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from app import embedded, replica_set
from app.database import Database
from app.embedded import Embedded, EmbeddedFailed
from app.ownership import Ownership
from tests.conftest import missing
from tests.program import ROOT
from tests.servers import free_port
from tests.waiting import until
from worker.errors import BadConfiguration


@pytest.fixture(autouse=True)
def _needs_mongod() -> None:
    if embedded.program() is None:
        missing("no mongod; install the extra `embedded`")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Embedded]]:
    made: list[Embedded] = []

    def one(**more: Any) -> Embedded:
        made.append(Embedded(tmp_path, **more))
        return made[-1]

    yield one
    for each in reversed(made):
        each.stop()


def hello(url: str) -> dict[str, Any]:
    with pymongo.MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=3000) as client:
        return client.admin.command("hello")


def server_pid(url: str) -> int:
    with pymongo.MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=3000) as client:
        return int(client.admin.command("serverStatus")["pid"])


def tended(one: Embedded) -> Embedded:
    one.tend()
    return one


def gone(pid: int) -> bool:
    """Whether all its threads are: until then it holds its files, sockets and locks."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
        return state == "Z" and len(list(Path(f"/proc/{pid}/task").iterdir())) == 1
    except OSError:
        return True


def test_it_is_a_primary_on_loopback_that_keeps_its_data_and_its_port(
    tmp_path: Path, make: Callable[..., Embedded]
) -> None:
    one = make()
    url = one.ensure()
    assert embedded.url_of(tmp_path) == url
    assert url.startswith("mongodb://127.0.0.1:")
    assert hello(url)["isWritablePrimary"]
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client["kept"]["things"].insert_one({"_id": 1})
    one.stop()
    assert embedded.url_of(tmp_path) is None
    again = make()
    assert again.ensure() == url
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        assert client["kept"]["things"].count_documents({}) == 1


def test_a_taken_port_is_changed_for_another_and_the_replica_set_follows(
    tmp_path: Path, make: Callable[..., Embedded]
) -> None:
    one = make()
    first = one.ensure()
    one.stop()
    port = json.loads((tmp_path / "mongod" / "owner.json").read_text(encoding="utf-8"))["port"]
    with socketserver.TCPServer(("127.0.0.1", port), socketserver.BaseRequestHandler) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        second = make().ensure()
        stranger.shutdown()
    assert second != first
    assert hello(second)["isWritablePrimary"]
    assert hello(second)["me"] in second


def test_who_comes_second_borrows_and_stopping_that_one_stops_nothing(make: Callable[..., Embedded]) -> None:
    one, two = make(), make()
    url = one.ensure()
    assert two.ensure() == url
    assert one.owned
    assert not two.owned
    two.stop()
    assert hello(url)["isWritablePrimary"]


def test_a_borrower_takes_over_on_the_same_port_when_the_owner_ends(make: Callable[..., Embedded]) -> None:
    one, two = make(), make()
    url = one.ensure()
    two.ensure()
    assert not tended(two).owned
    one.stop()
    assert tended(two).owned
    assert two.url == url
    assert hello(url)["isWritablePrimary"]


def test_one_that_dies_is_started_again_and_at_last_given_up(make: Callable[..., Embedded]) -> None:
    one = make(most_deaths=2)
    url = one.ensure()
    os.kill(server_pid(url), signal.SIGKILL)
    until(lambda: not tended(one).owned, "its death is noticed")
    until(lambda: tended(one).owned, "it runs again")
    assert hello(url)["isWritablePrimary"]
    pid = server_pid(url)
    os.kill(pid, signal.SIGKILL)
    until(lambda: gone(pid), "it has died again")
    with pytest.raises(EmbeddedFailed, match="killed by signal 9"):
        one.tend()


def test_one_that_dies_before_it_is_primary_is_told_at_once(
    make: Callable[..., Embedded], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_primary = replica_set.make_primary

    def killed_before(address: str, port: int, *rest: Any) -> None:
        with pymongo.MongoClient[dict[str, Any]](f"mongodb://{address}:{port}/", directConnection=True) as client:
            pid = int(client.admin.command("serverStatus")["pid"])
        os.kill(pid, signal.SIGKILL)
        until(lambda: gone(pid), "it has died")
        make_primary(address, port, *rest)

    monkeypatch.setattr(replica_set, "make_primary", killed_before)
    with pytest.raises(EmbeddedFailed, match="killed by signal 9"):
        make().ensure()


def test_kill_9_of_its_owner_takes_it_along_and_the_next_start_finds_its_data(
    tmp_path: Path, make: Callable[..., Embedded]
) -> None:
    command = [sys.executable, "-m", "app.embedded", str(tmp_path), str(free_port())]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as owner:
        url = until(lambda: embedded.url_of(tmp_path), "it runs")
        pid = server_pid(url)
        with pymongo.MongoClient[dict[str, Any]](url, w="majority", journal=True) as client:
            client["kept"]["things"].insert_one({"_id": 1})
        owner.kill()
        owner.wait()
    until(lambda: gone(pid), "mongod is gone", timeout=10)
    assert make().ensure() == url
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        assert client["kept"]["things"].count_documents({}) == 1


def test_as_a_process_of_its_own_it_ends_with_0_on_sigterm_and_with_1_when_mongod_dies(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.embedded", str(tmp_path), str(free_port())]
    for end, code in ((True, 0), (False, 1)):
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as owner:
            url = until(lambda: embedded.url_of(tmp_path), "it runs")
            pid = server_pid(url)
            os.kill(owner.pid if end else pid, signal.SIGTERM if end else signal.SIGKILL)
            assert owner.wait(10) == code
            assert gone(pid)


def test_two_that_start_at_once_agree_on_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.embedded", str(tmp_path), str(free_port())]
    owners = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        told = []
        for owner in owners:
            assert owner.stderr is not None
            told.append(owner.stderr.readline())
        assert sum("info    ready: " in line for line in told) == 1
        assert sum("another process runs it already" in line for line in told) == 1
    finally:
        for owner in owners:
            owner.terminate()
            owner.communicate(timeout=20)
    assert [owner.returncode for owner in owners] == [0, 0]


def test_the_keeping_thread_gives_the_url_and_stops_what_it_started(tmp_path: Path) -> None:
    database = Database(tmp_path, failed=lambda: None)
    pid = server_pid(database.url)
    database.close()
    assert gone(pid)
    assert database.failure is None


def test_a_log_full_of_trouble_is_quoted(tmp_path: Path, make: Callable[..., Embedded]) -> None:
    data = tmp_path / "mongod" / "data"
    data.mkdir(parents=True)
    (data / "storage.bson").write_bytes(b"this is no database")
    with pytest.raises(EmbeddedFailed, match=r"ended with exit code \d+: .+\(log: "):
        make().ensure()


def test_a_data_dir_that_cannot_be_made_is_bad_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfiguration, match="DATA_DIR"):
        Embedded(tmp_path / "file").ensure()


def test_without_any_mongod_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "PACKAGE", "no-such-package")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BadConfiguration, match=r"MONGO_URL: .*embedded"):
        embedded.require_program()


def test_only_one_owns_and_who_looks_does_not_own(tmp_path: Path) -> None:
    one, two = Ownership(tmp_path / "x" / "owner.json"), Ownership(tmp_path / "x" / "owner.json")
    assert not one.is_held()
    assert one.take()
    assert two.is_held()
    assert not two.take()
    one.write(port=5)
    one.release()
    assert not two.is_held()
    assert two.read() == {"port": 5}
    assert two.take()
    two.release()
