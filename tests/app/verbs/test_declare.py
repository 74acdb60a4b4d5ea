"""`validate`, `apply`, `export`, `release` and `schema`: what they print, and what they exit with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from app.verbs import declare
from app.verbs.schema import text
from tests.app.command_line import FILE, Cli
from tests.program import ROOT
from worker.apply import Owner, apply
from worker.declaration import load
from worker.run import Trigger
from worker.store import Store
from worker.vault import Vault

VAULT = Vault(["a key of the tests, long"])


def write(folder: Path, content: str, name: str = "jobs.yaml") -> None:
    (folder / name).write_text(content)


def marks(cli: Cli) -> list[str]:
    return [line for line in cli.out.splitlines() if line.startswith(("+", "~", "-"))]


# validate


def test_validate_names_every_mistake_with_its_place(offline: Cli, folder: Path) -> None:
    write(folder, FILE.replace("sqlite", "sqllite", 1).replace("every: 1h", "every: 1 hour"))
    assert offline("validate", "jobs.yaml") == 2
    first, second = offline.out.splitlines()
    assert first == "jobs.yaml:3:10: connections.shop.type: is 'sqllite'; did you mean sqlite?"
    assert second.startswith("jobs.yaml:9:16: jobs.customers.schedule.every: is '1 hour'; allowed: a duration")


def test_validate_takes_several_files_and_tells_of_each(offline: Cli, folder: Path) -> None:
    write(folder, "version: 2\n", "bad.yaml")
    assert offline("validate", "jobs.yaml", "bad.yaml", "absent.yaml") == 2
    assert offline.out.splitlines() == [
        "jobs.yaml: 2 connections, 3 jobs, no mistakes",
        "bad.yaml:1:1: version: is 2; allowed: 1",
        "absent.yaml:1:1: cannot be read: No such file or directory",
    ]


def test_validate_as_json_is_for_programs(offline: Cli, folder: Path) -> None:
    assert offline("validate", "jobs.yaml", "--json") == 0
    assert offline.json["ok"] is True and offline.json["files"][0]["jobs"] == 3
    write(folder, "version: 2\n")
    assert offline("validate", "jobs.yaml", "--json") == 2
    (fault,) = offline.json["files"][0]["faults"]
    assert fault == {"line": 1, "column": 1, "field": "version", "message": "is 2; allowed: 1"}


def test_validate_notes_what_is_no_mistake_on_standard_error(
    offline: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", "postgres://h/")
    monkeypatch.delenv("SHOP_ULR", raising=False)
    write(folder, 'version: 1\nconnections:\n  shop: {type: postgres, url: "${SHOP_ULR}"}\n')
    assert offline("validate", "jobs.yaml") == 0
    assert offline.out == "jobs.yaml: 1 connection, 0 jobs, no mistakes\n"
    assert offline.err.startswith("jobs.yaml:3:26: connections.shop.url: note: refers to ${SHOP_ULR}, which is not set")
    assert "did you mean ${SHOP_URL}?" in offline.err


# apply


def test_a_dry_run_shows_what_a_change_means(run: Cli, folder: Path) -> None:
    assert run("apply", "jobs.yaml") == 0
    write(folder, FILE.replace("1h", "2h"))
    assert run("apply", "jobs.yaml", "--dry-run") == 0
    lines = run.out.splitlines()
    assert lines[:2] == ["~ job customers", "    schedule: {every: 1h} -> {every: 2h}"]
    assert lines[2].startswith("    => the next fire time moves from ")
    assert lines[-1] == "nothing was changed"
    assert run("apply", "jobs.yaml", "--dry-run", "--json") == 0
    shown = run.json
    (change,) = shown["changes"]
    assert (shown["applied"], change["mark"], change["id"]) == (False, "~", "customers")
    assert run("apply", "jobs.yaml", "--json") == 0
    done = run.json
    assert done["applied"] is True
    assert run("apply", "jobs.yaml") == 0
    assert run.out == "nothing to change\n"


def test_a_dry_run_of_what_cannot_be_done_exits_1_and_says_why(run: Cli, folder: Path, store: Store) -> None:
    assert run("apply", "jobs.yaml") == 0
    busy = store.runs.create("endless", Trigger.MANUAL)
    write(folder, "version: 1\n")
    assert run("apply", "jobs.yaml", "--prune", "--dry-run") == 1
    assert f"    !! job endless already has a queued or running run (run {busy['_id']})" in run.out
    assert run("apply", "jobs.yaml", "--prune") == 1
    assert busy["_id"] in run.err
    assert len(store.jobs.list()) == 3


def test_a_person_at_a_terminal_is_asked_before_prune_deletes(
    run: Cli, folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("apply", "jobs.yaml") == 0
    write(folder, "version: 1\n")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    asked: list[str] = []

    def answers(word: str) -> None:
        def answer(question: str) -> str:
            asked.append(question)
            return word

        monkeypatch.setattr("builtins.input", answer)

    answers("n")
    assert run("apply", "jobs.yaml", "--prune") == 1
    assert asked == ["Delete 5 of these, with checkpoints? [y/N] "]
    assert len(store.jobs.list()) == 3
    answers("y")
    assert run("apply", "jobs.yaml", "--prune") == 0
    assert store.jobs.list() == []
    assert run("apply", "jobs.yaml", "--prune") == 0
    assert len(asked) == 2, "there was nothing to ask about any more"


def test_what_was_agreed_to_is_what_is_done(
    run: Cli, folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saves a job while the person thinks: the plan is shown again, and asked about again."""
    assert run("apply", "jobs.yaml") == 0
    write(folder, "version: 1\n")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    asked: list[str] = []

    def meanwhile(question: str) -> str:
        asked.append(question)
        if len(asked) == 1:
            apply(store, VAULT, load(FILE.replace("1h", "3h")))
            return "y"
        return "n"

    monkeypatch.setattr("builtins.input", meanwhile)
    assert run("apply", "jobs.yaml", "--prune") == 1
    assert len(asked) == 2 and "changed meanwhile; now it is:" in run.out
    assert len(store.jobs.list()) == 3


def test_an_apply_is_in_the_audit_under_who_did_it(run: Cli, store: Store) -> None:
    assert run("apply", "jobs.yaml") == 0
    found = store.audit.list()
    assert {(one["via"], one["action"]) for one in found} == {("cli", "job.create"), ("cli", "connection.create")}


# export


def test_export_apply_export_is_the_same_bytes_after_a_wipe(run: Cli, folder: Path) -> None:
    assert run("apply", "jobs.yaml") == 0
    assert run("export") == 0
    first = run.out
    write(folder, "version: 1\n", "nothing.yaml")
    write(folder, first, "export.yaml")
    assert run("apply", "nothing.yaml", "--prune", "--yes") == 0
    assert run("export") == 0 and run.out == "version: 1\n"
    assert run("apply", "export.yaml") == 0
    assert run("export") == 0
    assert run.out == first


def test_one_job_is_exported_with_its_connections_alone(run: Cli, folder: Path) -> None:
    write(folder, FILE.replace("connections:\n", "connections:\n  spare: {type: sqlite, path: x}\n"))
    assert run("apply", "jobs.yaml") == 0
    assert run("export", "--job", "broken") == 0
    declared = load(run.out)
    assert (set(declared.jobs), set(declared.connections)) == ({"broken"}, {"copy", "shop"})
    assert run("export", "--job", "brokn") == 2


# release


def test_what_a_file_owned_can_be_let_go(run: Cli, store: Store) -> None:
    apply(store, VAULT, load(FILE), owner=Owner(file="/etc/jobs.yaml"))
    assert run("apply", "jobs.yaml") == 0
    assert run.out == "nothing to change\n"
    assert run("release", "/etc/job.yaml") == 2
    assert "nothing belongs to /etc/job.yaml; files that own jobs: /etc/jobs.yaml" in run.err
    assert run("release", "/etc/jobs.yaml") == 0
    assert marks(run) == [
        "~ connection copy", "~ connection shop", "~ job broken", "~ job customers", "~ job endless",
    ]  # fmt: skip
    assert {job.owner for job in store.jobs.list()} == {None}


def test_a_file_is_let_go_by_its_name_in_this_folder_too(run: Cli, folder: Path, store: Store) -> None:
    apply(store, VAULT, load(FILE), owner=Owner(file=str(folder / "jobs.yaml")))
    assert run("release", "jobs.yaml") == 0
    assert {job.owner for job in store.jobs.list()} == {None}


def test_a_change_behind_a_files_back_is_told_before(run: Cli, folder: Path, store: Store) -> None:
    apply(store, VAULT, load(FILE), owner=Owner(file="/etc/jobs.yaml"))
    write(folder, FILE.replace("1h", "2h"))
    assert run("apply", "jobs.yaml", "--dry-run") == 0
    assert "=> belongs to /etc/jobs.yaml, which decides again when it changes or an instance starts" in run.out


# schema


def test_schema_prints_what_is_committed(offline: Cli) -> None:
    assert offline("schema") == 0
    assert offline.out == text() == (ROOT / "docs/schema/syncworker.schema.json").read_text(encoding="utf-8")
    assert json.loads(offline.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_words_for_what_was_done_cover_every_mark() -> None:
    assert set(declare.DID) == {"+", "~", "-"}
