"""`syncworker secrets` on a real database, and what `check` says of a server that bleeds."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import main
from app.verbs.check import version_findings
from worker.connection import Connection
from worker.store import Store
from worker.vault import Vault

OLD, NEW = "the old key, long enough", "the new key - long enough"


@pytest.fixture(autouse=True)
def surroundings(
    environment: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: Store
) -> None:
    """The command line's environment, with both keys."""
    monkeypatch.chdir(tmp_path)
    for name in ("SECRET_KEY", "MONGO_URL", "MONGO_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    keys = f"{NEW},{OLD}".replace(", ", " ")
    for name, value in environment(DATA_DIR=str(tmp_path / "data"), SECRET_KEY=keys).items():
        monkeypatch.setenv(name, value)
    old = Vault([os.environ["SECRET_KEY"].split(",")[1]])
    connections = store.connections(old)
    connections.insert(
        Connection(id="lake", type="mongodb", settings={"url": "mongodb://u:geheim@h/"}), frozenset({"url"})
    )


def test_rotate_says_what_it_did_and_leaves_a_record(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secrets", "rotate", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["total"], said["anew"], said["unopened"]) == (1, 1, [])
    assert main(["secrets", "rotate"]) == 0
    assert "1 sealed, 0 of them anew" in capsys.readouterr().out
    assert store.connections(Vault([NEW])).get("lake").settings["url"] == "mongodb://u:geheim@h/"
    records = store.audit.list()
    assert [record["action"] for record in records] == ["secrets.rotate"] * 2


def test_list_names_keys_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secrets", "list", "--json"]) == 0
    (item,) = json.loads(capsys.readouterr().out)["items"]
    assert (item["what"], item["rank"]) == ("connections/lake/url", "older (2)")
    assert main(["secrets", "list"]) == 0
    assert "geheim" not in capsys.readouterr().out


def test_what_does_not_open_is_named_and_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SECRET_KEY", "another key altogether")
    assert main(["secrets", "rotate"]) == 1
    assert "connections/lake/url does not open" in capsys.readouterr().out
    assert main(["secrets", "list"]) == 1
    assert "unknown" in capsys.readouterr().out


@pytest.mark.parametrize(
    "version",
    [
        (3, 6, 23),
        (4, 2, 24),
        (4, 4, 29),
        (5, 0, 31),
        (6, 0, 5),
        (7, 0, 27),
        (8, 0, 16),
        (8, 1, 2),
        (7, 3, 4),
        (8, 2, 2),
    ],
)
def test_mongobleed_cve_2025_14847_is_told_of_servers_that_have_it(version: tuple[int, ...]) -> None:
    (finding,) = version_findings(version, embedded=False)
    assert "CVE-2025-14847" in finding.message and finding.ok is None
    assert list(version_findings(version, embedded=True)) == []


@pytest.mark.parametrize("version", [(4, 4, 30), (5, 0, 32), (6, 0, 27), (7, 0, 28), (8, 0, 17), (8, 2, 3), (9, 0, 0)])
def test_a_server_that_was_mended_is_not_spoken_of(version: tuple[int, ...]) -> None:
    assert list(version_findings(version, embedded=False)) == []
