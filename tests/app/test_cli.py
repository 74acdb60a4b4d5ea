"""The command line: what it prints, what it exits with, with and without a database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.verbs import session
from tests.app.command_line import FILE, Cli
from tests.program import ROOT
from worker.run import Trigger
from worker.store import Store

pytestmark = pytest.mark.own_database

VERBS = [
    "start", "api", "worker", "run", "apply", "validate", "export", "next", "status", "jobs", "runs", "logs",
    "cancel", "retry", "approve", "discard", "check", "drill", "verify",
]  # fmt: skip

# Without a database.


def test_help_and_version(offline: Cli) -> None:
    assert offline("--version") == 0
    assert offline.out.startswith("syncworker ")
    assert offline("--help") == 0
    listed = offline.out
    for verb in VERBS:
        assert f"    {verb} " in listed
        assert offline(verb, "--help") == 0


@pytest.mark.parametrize("arguments", [["rum"], ["run"], ["next", "* * * * *", "-n", "0"], ["runs", "--state", "done"]])
def test_what_is_no_command_exits_2(offline: Cli, arguments: list[str]) -> None:
    assert offline(*arguments) == 2


def test_next_prints_utc_one_a_line_with_notes(offline: Cli) -> None:
    arguments = ["next", "30 2 * * *", "--timezone", "Europe/Berlin", "--after", "2026-03-28T12:00:00Z", "-n", "2"]
    assert offline(*arguments) == 0
    first, second = offline.out.splitlines()
    assert first.split()[0] == "2026-03-29T01:00:00Z"
    assert "02:30 does not exist" in first
    assert second == "2026-03-30T00:30:00Z"


def test_next_of_an_interval(offline: Cli) -> None:
    assert offline("next", "--every", "15m", "--after", "2026-03-28T12:00:00+01:00", "-n", "2") == 0
    assert offline.out.split() == ["2026-03-28T11:15:00Z", "2026-03-28T11:30:00Z"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["* * *"], "CRON is '* * *', which has 3 fields"),
        (["0 0 31 2 *"], "never fires"),
        (["* * * * *", "--timezone", "Europe/Pari"], "--timezone is 'Europe/Pari'"),
        (["* * * * *", "--after", "yesterday"], "is 'yesterday'; allowed: an ISO 8601 time"),
        (["--every", "soon"], "--every is 'soon'; allowed: a duration"),
        (["* * * * *", "--every", "5m"], "needs either cron or every, not both"),
        ([], "needs either cron or every"),
    ],
)
def test_next_refuses_what_is_wrong(offline: Cli, arguments: list[str], message: str) -> None:
    assert offline("next", *arguments) == 2
    assert message in offline.err
    assert offline.out == ""


def test_validate_prints_each_mistake_with_its_place(offline: Cli, folder: Path) -> None:
    assert offline("validate", "jobs.yaml") == 0
    (folder / "bad.yaml").write_text("version: 1\njobs:\n  a: {surce: x, destination: y, streams: [{name: z}]}\n")
    assert offline("validate", "bad.yaml") == 2
    assert offline.out.splitlines()[0].startswith("bad.yaml:3:3: jobs.a.source: is missing")
    assert offline("validate", "absent.yaml") == 2
    assert "absent.yaml:1:1: cannot be read: No such file" in offline.out


def test_no_database_exits_3(offline: Cli, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URL", f"mongodb://u:geheim@127.0.0.1:{free_port}/")
    monkeypatch.setattr(session, "PATIENCE", 0.3)
    for arguments in (["jobs"], ["run", "customers"]):
        assert offline(*arguments) == 3
        assert "MongoDB does not answer" in offline.err
        assert "geheim" not in offline.err


def test_a_bad_environment_exits_2_and_names_all(offline: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("LEASE_TTL", "never")
    assert offline("jobs") == 2
    assert {line.split()[1] for line in offline.err.splitlines()} == {"LEASE_TTL", "MONGO_URL", "SECRET_KEY"}


def test_a_reader_that_has_enough_is_no_error(folder: Path) -> None:
    command = f"{sys.executable} -m app next '* * * * *' -n 9999 | head -1"
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=env, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


# With one.


def test_apply_shows_the_difference_and_makes_it_so(run: Cli, store: Store) -> None:
    assert run("apply", "jobs.yaml", "--dry-run") == 0
    assert store.jobs.list() == []
    assert run("apply", "jobs.yaml") == 0
    marks = [line for line in run.out.splitlines() if line[0] in "+~-"]
    names = ["connection shop", "connection copy", "job customers", "job endless", "job broken"]
    assert marks == [f"+ {name}" for name in names]
    assert run("apply", "jobs.yaml") == 0
    assert run.out == "nothing to change\n"


def test_apply_refuses_a_broken_file_with_places(run: Cli, folder: Path) -> None:
    (folder / "bad.yaml").write_text("version: 1\njobs:\n  a: {surce: x}\n")
    assert run("apply", "bad.yaml") == 2
    assert "bad.yaml:3:7: jobs.a.surce: is not known here; did you mean source?" in run.err


def test_pruning_deletes_what_the_file_does_not_name(run: Cli, folder: Path, store: Store) -> None:
    run("apply", "jobs.yaml")
    (folder / "less.yaml").write_text(FILE[: FILE.index("  endless:")])
    assert run("apply", "less.yaml") == 0
    assert run("apply", "less.yaml", "--prune") == 0
    assert {line for line in run.out.splitlines() if line[0] == "-"} == {"- job broken", "- job endless"}
    assert [job.id for job in store.jobs.list()] == ["customers"]


def test_export_applies_and_exports_as_the_same_bytes(run: Cli, folder: Path) -> None:
    run("apply", "jobs.yaml")
    assert run("export") == 0
    first = run.out
    (folder / "export.yaml").write_text(first)
    assert run("apply", "export.yaml", "--prune") == 0
    run("export")
    assert run.out == first


def test_a_job_that_is_not_there_exits_2(run: Cli) -> None:
    assert run("run", "nothing") == 2
    assert "there is no job 'nothing'" in run.err
    assert run("run", "nothing", "--file", "jobs.yaml") == 2
    assert "its jobs: broken, customers, endless" in run.err
    assert run("logs", "nothing") == 2
    assert run("cancel", "nothing") == 2


def test_the_lists_are_tables_for_people_and_json_for_programs(run: Cli) -> None:
    for verb in ("jobs", "runs"):
        assert run(verb) == 0
        assert run.out.startswith("no ")
    run("run", "customers", "--file", "jobs.yaml")
    assert run("jobs") == 0
    assert run.out.splitlines()[0].split("  ")[0] == "JOB"
    assert "every 1h" in run.out and "succeeded" in run.out and "(in " in run.out
    assert run("jobs", "--json") == 0
    assert run.json["items"][0]["id"] == "customers"
    assert run("runs", "--job", "customers", "--state", "succeeded", "--since", "1h") == 0
    run_id = run.out.splitlines()[1].split()[0]
    assert run("runs", "--json") == 0
    assert run.json["items"][0]["id"] == run_id
    assert run("runs", "--state", "failed") == 0
    assert run.out == "no runs\n"
    assert run("status") == 0
    assert "leads: nobody" in run.out
    assert run("status", "--json") == 0
    assert run.json["queue_depth"] == 0


def test_logs_print_what_a_run_said(run: Cli, store: Store) -> None:
    run("run", "customers", "--file", "jobs.yaml")
    run_id = store.runs.list()[0]["_id"]
    assert run("logs", run_id, "--follow") == 0
    assert "customers: succeeded: 100 rows written" in run.out
    assert run("logs", run_id, "--level", "warning") == 0
    assert "succeeded" not in run.out
    assert run("logs", run_id, "--json") == 0
    assert json.loads(run.out.splitlines()[0])["n"] == 1


def test_a_run_is_cancelled_and_retried(run: Cli, store: Store) -> None:
    run("apply", "jobs.yaml")
    queued = store.runs.create("customers", Trigger.MANUAL)
    assert run("cancel", queued["_id"]) == 0
    assert run.out == f"run {queued['_id']} of customers is cancelled\n"
    assert run("cancel", queued["_id"]) == 1
    assert "only a queued, running or held run can be cancelled" in run.err
    assert run("retry", queued["_id"], "--json") == 0
    assert run.json["retry_of"] == queued["_id"]
    assert run("approve", queued["_id"]) == 1
    assert run("discard", queued["_id"]) == 1


def test_check_names_what_is_wrong(run: Cli, folder: Path) -> None:
    run("apply", "jobs.yaml")
    assert run("check") == 0
    assert "nothing is wrong" in run.out
    (folder / "shop.db").unlink()
    assert run("check", "--json") == 1
    wrong = [item["what"] for item in run.json["items"] if item["ok"] is False]
    assert wrong == ["connection shop"]


def test_every_verb_and_option_is_documented(offline: Cli) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for verb in VERBS:
        assert f"`{verb}" in page, verb
        offline(verb, "--help")
        options = set(re.findall(r"--[a-z-]+", offline.out)) - {"--help"}
        assert {option for option in options if option not in page} == set()
