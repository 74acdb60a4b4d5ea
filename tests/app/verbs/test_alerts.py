"""`syncworker alerts` and `alerts test`, and alerts in `validate`, `apply`, `export` and `release`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.command_line import FILE, Cli
from tests.receiver import Receiver, answering, receiving, verified

SECRET = "a secret that signs, geheim"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def saved(run: Cli, folder: Path, receiver: Receiver) -> Cli:
    alerts = f"""\
alerts:
  chat: {{url: "{receiver.url}/uyJx3rtmWqzKpdv8", secret: "{SECRET}", jobs: [broken, customers], failures: 3}}
  quiet: {{url: "${{CHAT_URL}}", format: slack, enabled: false}}
"""
    (folder / "jobs.yaml").write_text(FILE + alerts)
    assert run("apply", "jobs.yaml") == 0, run.err
    assert "+ alert chat" in run.out and "uyJx3" not in run.out and "geheim" not in run.out
    return run


def test_the_list_says_where_what_and_how_it_fares(saved: Cli, receiver: Receiver) -> None:
    assert saved("alerts") == 0
    heading, chat, quiet = saved.out.splitlines()
    assert [word for word in heading.split("  ") if word][:2] == ["ALERT", "TO"]
    assert f"127.0.0.1:{receiver.port}" in chat and "3 failures in a row, held runs, recovery" in chat
    assert "broken, customers" in chat and chat.split()[-3:] == ["-", "-", "-"]
    assert "${CHAT_URL}" in quiet and "nothing: disabled" in quiet and " all " in quiet
    assert "uyJx3" not in saved.out and "geheim" not in saved.out
    assert saved("alerts", "--json") == 0
    assert [one["id"] for one in saved.json["items"]] == ["chat", "quiet"]
    assert saved.json["items"][0]["url"] == "********" and saved.json["next"] is None


def test_without_any_it_says_so(run: Cli) -> None:
    assert run("alerts") == 0 and run.out.startswith("no alerts")


def test_a_test_message_arrives_or_exits_1(saved: Cli, receiver: Receiver) -> None:
    assert saved("alerts", "test", "chat") == 0
    assert saved.out.startswith("arrived (") and "200" in saved.out
    assert verified(receiver.got[0], SECRET) and receiver.got[0].json["type"] == "test"
    receiver.answer = answering(404)
    assert saved("alerts", "test", "chat", "--json") == 1
    assert (saved.json["ok"], saved.json["status"]) == (False, 404)
    assert saved("alerts", "--json", "test", "chat") == 1 and saved.json["ok"] is False
    assert saved("alerts", "test", "quiet") == 1 and "${CHAT_URL}" in saved.out
    assert saved("alerts", "test", "nothing") == 2 and "there is no alert 'nothing'" in saved.err


def test_the_real_program_sends_one_too(saved: Cli, receiver: Receiver) -> None:
    command = [sys.executable, "-m", "app", "alerts", "test", "chat"]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("arrived (") and len(receiver.got) == 1


def test_a_file_with_alerts_is_validated_exported_and_let_go(saved: Cli, folder: Path) -> None:
    assert saved("validate", "jobs.yaml") == 0
    assert saved.out == "jobs.yaml: 2 connections, 3 jobs, 2 alerts, no mistakes\n"
    assert "refers to ${CHAT_URL}, which is not set here" in saved.err
    assert saved("export") == 0
    first = saved.out
    assert "url: ${CHAT_URL_2}" not in first and "secret: ${CHAT_SECRET}" in first and "uyJx3" not in first
    (folder / "again.yaml").write_text(first)
    assert saved("apply", "again.yaml") == 0 and saved.out == "nothing to change\n"
    assert saved("export") == 0 and saved.out == first
    assert saved("apply", "--prune", "--dry-run", "jobs.yaml") == 0
    (folder / "none.yaml").write_text(FILE)
    assert saved("apply", "--prune", "--yes", "none.yaml") == 0 and "- alert chat" in saved.out
    assert saved("alerts") == 0 and saved.out.startswith("no alerts")


def test_check_names_what_an_alert_refers_to_in_vain_and_sends_nothing(
    saved: Cli, folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "jobs.yaml").write_text(FILE + 'alerts:\n  chat: {url: "${PAGER_ADDRESS}"}\n')
    assert saved("apply", "jobs.yaml") == 0
    saved("check")
    (line,) = [line for line in saved.out.splitlines() if "alert chat" in line]
    assert line.startswith("WRONG") and "refers to ${PAGER_ADDRESS}, which is not set" in line
    monkeypatch.setenv("PAGER_ADDRESS", receiver.url)
    saved("check")
    (line,) = [line for line in saved.out.splitlines() if "alert chat" in line]
    assert line.startswith("ok") and receiver.got == []


def test_a_mistake_is_placed(offline: Cli, folder: Path) -> None:
    (folder / "jobs.yaml").write_text(FILE + "alerts:\n  chat:\n    url: ftp://h/geheim\n    jobs: [costumers]\n")
    assert offline("validate", "jobs.yaml") == 2
    url, jobs = offline.out.splitlines()
    assert url.startswith("jobs.yaml:22:5: alerts.chat.url: is no address of a web server") and "geheim" not in url
    assert jobs == "jobs.yaml:23:12: alerts.chat.jobs[0]: is 'costumers', which is no job; did you mean customers?"
