"""`tokens`, `hash-password` and `audit` from a terminal; and the records that other verbs leave."""

from __future__ import annotations

import io
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from app.api.password import Password
from tests.app.command_line import Cli
from worker.access import Scope
from worker.store import Store


def records(run: Cli, *arguments: str) -> list[dict[str, Any]]:
    assert run("audit", "--json", *arguments) == 0, run.err
    found: list[dict[str, Any]] = run.json["items"]
    return found


def test_a_token_is_made_listed_and_revoked(run: Cli, store: Store) -> None:
    assert run("tokens") == 0 and "no tokens" in run.out
    assert run("tokens", "create", "ci", "--scope", "operate", "--expires-in", "30d") == 0
    token = run.out.strip()
    assert re.fullmatch(r"sw_[\w-]{43}", token) and "operate" in run.err and token not in run.err
    who = store.tokens.who(token)
    assert who is not None and (who.name, who.scope) == ("ci", Scope.OPERATE)
    assert run("tokens", "list") == 0 and token not in run.out
    row = run.out.splitlines()[1]
    assert who.token is not None and all(part in row for part in (who.token, "ci", "operate", token[:9], "live"))
    assert run("tokens", "revoke", who.token) == 0
    assert store.tokens.who(token) is None
    assert run("tokens") == 0 and "revoked" in run.out
    assert run("tokens", "revoke", "none") == 2 and "no token 'none'" in run.err


def test_a_token_for_a_program_comes_as_json(run: Cli, store: Store) -> None:
    assert run("tokens", "create", "ci", "--scope", "read", "--json") == 0
    made = run.json
    assert store.tokens.who(made["token"]) is not None and made["expires_at"] is None
    assert run("tokens", "--json") == 0
    assert [one["id"] for one in run.json["items"]] == [made["id"]] and "token" not in run.json["items"][0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("ci", "--scope", "root"),
        ("ci",),
        ("", "--scope", "read"),
        ("a\nb", "--scope", "read"),
        ("ci", "--scope", "read", "--expires-in", "soon"),
        ("ci", "--scope", "read", "--expires-in", "0s"),
    ],
)
def test_a_bad_token_is_refused(run: Cli, store: Store, arguments: tuple[str, ...]) -> None:
    assert run("tokens", "create", *arguments) == 2
    assert store.tokens.list() == [] and run.out == ""


def test_a_password_becomes_a_hash_that_opens(offline: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ("correct horse\n", "correct horse\r\n", "correct horse"):
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        assert offline("hash-password") == 0
        printed = offline.out.strip()
        assert printed.startswith("$argon2id$") and Password(printed).right("correct horse")
        assert not Password(printed).right("correct horse\n")
    first = printed
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse"))
    offline("hash-password")
    assert offline.out.strip() != first, "another salt each time"


@pytest.mark.parametrize("given", ["", "\n", " x", "x ", "one\ntwo\n"])
def test_what_the_environment_could_not_hold_is_no_password(
    offline: Cli, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert offline("hash-password") == 2 and offline.out == ""


def test_what_is_done_here_is_recorded_with_the_account_that_did_it(run: Cli, folder: Path, store: Store) -> None:
    assert run("apply", "jobs.yaml") == 0
    assert run("run", "customers") == 0
    assert run("run", "broken") == 1
    failed = next(one for one in store.runs.list("broken"))
    assert run("retry", failed["_id"]) == 0
    again = next(one for one in store.runs.list("broken"))
    assert run("cancel", again["_id"]) == 0
    run("tokens", "create", "ci", "--scope", "read")
    found = records(run)
    deeds = [(one["action"], one["subject"]) for one in found if one["action"] != "apply"]
    for expected in [
        ("run.cancel", f"runs/{again['_id']}"),
        ("run.retry", f"runs/{failed['_id']}"),
        ("job.run", "jobs/broken"),
        ("job.run", "jobs/customers"),
    ]:
        assert expected in deeds
    assert "token.create" in {deed for deed, _ in deeds}
    assert {one["how"] for one in found} == {one["via"] for one in found} == {"cli"}
    assert all("@" in one["who"] and one["scope"] == "admin" for one in found)


def test_records_are_read_by_subject_deed_and_time(run: Cli, folder: Path) -> None:
    run("tokens", "create", "one", "--scope", "read")
    run("tokens", "create", "two", "--scope", "read")
    assert len(records(run, "--subject", "tokens")) == 2 and records(run, "--subject", "jobs") == []
    assert len(records(run, "-n", "1")) == 1 and records(run, "--action", "token.revoke") == []
    assert records(run, "--since", "2999-01-01T00:00:00Z") == [] and len(records(run, "--since", "1h")) == 2
    assert records(run, "--who", "nobody") == []
    assert run("audit") == 0
    assert "token.create tokens/" in run.out and "    name: two" in run.out
    assert run("audit", "--subject", "jobs") == 0 and run.out == "no records\n"
    assert not [path for path in folder.rglob("*") if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o002]
