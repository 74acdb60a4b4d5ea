"""Alerts in an apply: planned, written and pruned with all the rest, owned by files, and exported without a secret."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from worker.apply import Owner, apply, plan, record
from worker.change import Change
from worker.declaration import load
from worker.errors import Conflict, JobActive
from worker.export import export
from worker.jobs_file import JobsFile
from worker.run import Trigger
from worker.store import Store
from worker.store.alerts import Alerts
from worker.vault import Vault

VAULT = Vault(["a key of the tests, long"])
URL = "https://hooks.example.com/services/T024/B0/uyJx3rtmWqzKpdv8"
SECRET = "a secret that signs, geheim"
HEAD = """\
version: 1
connections:
  shop: {type: sqlite, path: shop.db}
jobs:
  customers: {source: shop, destination: shop, streams: [{name: b, target: c}]}
  orders: {source: shop, destination: shop, streams: [{name: a, target: d}]}
"""
ALERTS = f"""\
alerts:
  chat: {{url: "{URL}", format: slack, jobs: [orders], failures: 3}}
  pager: {{url: "{URL}", secret: "{SECRET}", stale: 2h}}
"""
FILE = HEAD + ALERTS


def applied(store: Store, text: str, *, prune: bool = False, owner: str | None = None) -> list[Change]:
    return apply(store, VAULT, load(text), prune=prune, owner=None if owner is None else Owner(file=owner))


def lines(changes: list[Change]) -> list[str]:
    return [line for change in changes if change.kind == "alert" for line in str(change).splitlines()]


def test_alerts_are_added_after_the_jobs_that_they_are_about(store: Store) -> None:
    made = applied(store, FILE)
    assert [change.kind for change in made] == ["connection", "job", "job", "alert", "alert"]
    assert lines(made) == [
        "+ alert chat",
        "    => tells 3 failures in a row, held runs, recovery of orders, from now on",
        "+ alert pager",
        "    => tells every failure, held runs, no newer data for 2h, recovery of all jobs, from now on",
    ]
    pager = store.alerts(VAULT).get("pager")
    assert (pager.url, pager.secret, pager.stale, pager.revision) == (URL, SECRET, 7200.0, 1)
    stored = str(list(store.database["alerts"].find()))
    assert "uyJx3" not in stored and "geheim" not in stored
    assert applied(store, FILE) == [] and plan(store, VAULT, load(FILE)) == []


def test_a_change_is_shown_field_by_field_and_never_a_secret(store: Store) -> None:
    applied(store, FILE)
    changed = FILE.replace("failures: 3", "failures: off").replace(SECRET, "another that signs").replace("2h", "1d")
    made = applied(store, changed.replace("format: slack, jobs: [orders]", "format: slack"))
    assert lines(made) == [
        "~ alert chat",
        "    jobs: [orders] -> (none)",
        "    failures: 3 -> 'off'",
        "    => tells held runs of all jobs, from now on",
        "~ alert pager",
        "    secret changes",
        "    stale: 2h -> 1d",
        "    => tells every failure, held runs, no newer data for 1d, recovery of all jobs, from now on",
    ]
    assert store.alerts(VAULT).get("pager").secret == "another that signs"
    moved = lines(applied(store, FILE.replace("hooks.example.com", "other.example.com")))
    assert "    url changes" in moved and "example" not in str(moved)


def test_what_the_file_does_not_name_stays_unless_it_is_pruned(store: Store) -> None:
    applied(store, FILE)
    assert applied(store, HEAD) == []
    assert lines(applied(store, HEAD, prune=True)) == ["- alert chat", "- alert pager"]
    assert store.alerts(VAULT).list() == []
    applied(store, FILE)
    gone = applied(store, "version: 1\n", prune=True)
    assert [change.kind for change in gone] == ["alert", "alert", "job", "job", "connection"]


def test_what_is_refused_or_changed_meanwhile_leaves_alerts_too_as_they_were(store: Store) -> None:
    applied(store, FILE)
    store.runs.create("orders", Trigger.MANUAL)
    with pytest.raises(JobActive):
        applied(store, "version: 1\n", prune=True)
    assert [one.id for one in store.alerts(VAULT).list()] == ["chat", "pager"]
    seen: list[list[Change]] = []

    def meddle(changes: list[Change]) -> bool:
        seen.append(changes)
        if len(seen) == 1:
            applied(store, FILE.replace("failures: 3", "failures: 7"))
        return True

    apply(store, VAULT, load(FILE.replace("failures: 3", "failures: 5")), agree=meddle)
    assert [line for line in lines(seen[0]) if "->" in line] == ["    failures: 3 -> 5"]
    assert [line for line in lines(seen[1]) if "->" in line] == ["    failures: 7 -> 5"]
    assert store.alerts(VAULT).get("chat").failures == 5


def test_an_apply_that_fails_after_the_alerts_leaves_none_of_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("in the middle")

    applied(store, FILE)
    monkeypatch.setattr(Alerts, "delete", fail)
    with pytest.raises(RuntimeError):
        applied(store, HEAD + ALERTS.replace("chat:", "new:").replace("2h", "3h"), prune=True)
    assert {one.id: one.stale for one in store.alerts(VAULT).list()} == {"chat": None, "pager": 7200.0}


def test_a_save_does_not_touch_a_sending_and_lets_it_be_tried_at_once(store: Store) -> None:
    applied(store, FILE)
    state = {
        "sending": {"instance": "a", "until": store.now()},
        "tries": 7,
        "last_error": "x",
        "not_before": store.now(),
    }
    store.database["alerts"].update_one({"_id": "chat"}, {"$set": state})
    applied(store, FILE.replace("failures: 3", "failures: 2"))
    saved = store.database["alerts"].find_one({"_id": "chat"})
    assert saved is not None
    assert (saved["sending"]["instance"], saved["tries"], saved["last_error"], saved["not_before"]) == (
        "a",
        0,
        None,
        None,
    )


# Exported.


def test_export_hides_secrets_and_reads_back_as_the_same_bytes(store: Store) -> None:
    applied(store, FILE)
    first = export(store, VAULT)
    assert "uyJx3" not in first and "geheim" not in first
    assert "url: ${CHAT_URL}" in first and "secret: ${PAGER_SECRET}" in first
    assert list(load(first).alerts) == ["chat", "pager"] and first.index("jobs:") < first.index("alerts:")
    assert applied(store, first) == []
    assert export(store, VAULT) == first
    assert store.alerts(VAULT).get("pager").secret == SECRET
    applied(store, "version: 1\n", prune=True)
    applied(store, first)
    assert export(store, VAULT) == first
    assert store.alerts(VAULT).get("chat").url == "${CHAT_URL}"


def test_references_are_printed_as_they_are(store: Store) -> None:
    own = 'alerts:\n  chat: {url: "https://h/${KEY_OF_IT}"}\n  x: {url: "${WHOLE}", secret: "file:/run/secrets/k"}\n'
    applied(store, HEAD + own)
    text = export(store, VAULT)
    assert "url: https://h/${KEY_OF_IT}" in text and "url: ${WHOLE}" in text and "secret: file:/run/secrets/k" in text


def test_an_alert_and_a_connection_never_share_a_stand_in(store: Store) -> None:
    mongodb = 'version: 1\nconnections:\n  chat: {type: mongodb, url: "mongodb://u:geheim@h/", database: d}\n'
    applied(store, mongodb + f'alerts:\n  chat: {{url: "{URL}"}}\n')
    text = export(store, VAULT)
    assert "    url: ${CHAT_URL}\n" in text and "    url: ${CHAT_URL_2}\n" in text
    assert applied(store, text) == [] and export(store, VAULT) == text


def test_a_stand_in_that_the_environment_has_takes_the_secrets_place(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(store, FILE)
    monkeypatch.setenv("CHAT_URL", "https://elsewhere.example.com/")
    assert lines(applied(store, export(store, VAULT))) == ["~ alert chat", "    url changes"]
    assert store.alerts(VAULT).get("chat").url == "${CHAT_URL}"


def test_of_one_job_the_export_has_no_alert(store: Store) -> None:
    applied(store, FILE)
    assert load(export(store, VAULT, ["orders"])).alerts == {}


def test_a_job_that_is_gone_is_not_printed_and_an_alert_about_nothing_neither(store: Store) -> None:
    applied(store, FILE.replace("[orders]", "[orders, customers]").replace("stale: 2h", "jobs: [orders]"))
    store.jobs.delete("orders", 1)
    text = export(store, VAULT)
    declared = load(text)
    assert {id: one.jobs for id, one in declared.alerts.items()} == {"chat": ("customers",)}
    applied(store, text)
    assert export(store, VAULT) == text
    assert [one.id for one in store.alerts(VAULT).list()] == ["chat", "pager"], "nothing stored is lost"


def test_a_secret_that_we_cannot_read_is_not_written_over(store: Store) -> None:
    applied(store, FILE)
    stranger = Vault(["another key of the tests"])
    shown = export(store, stranger)
    assert "url: ${CHAT_URL}" in shown
    with pytest.raises(Conflict, match="alert chat: url is sealed under another SECRET_KEY, and would be lost"):
        apply(store, stranger, load(shown.replace("failures: 3", "failures: 4")))
    apply(store, VAULT, load(FILE), owner=Owner(file="jobs.yaml"))
    apply(store, stranger, load("version: 1\n"), owner=Owner(file="jobs.yaml"))
    kept = store.alerts(VAULT).get("pager")
    assert (kept.owner, kept.url, kept.secret) == (None, URL, SECRET)


def test_an_alert_that_was_broken_by_hand_is_written_anew_and_keeps_nothing_from_being_applied(store: Store) -> None:
    applied(store, FILE)
    for breaking in ({"failures": "many"}, {"format": "teams"}, {"url": "plain"}):
        store.database["alerts"].update_one({"_id": "chat"}, {"$set": breaking})
        assert lines(applied(store, HEAD)) == []
        assert lines(applied(store, FILE)) == ["~ alert chat", "    could not be read; is written anew"]
        assert store.alerts(VAULT).get("chat").failures == 3
    store.database["alerts"].update_one({"_id": "chat"}, {"$unset": {"revision": 1}})
    assert "- alert chat" in lines(applied(store, HEAD, prune=True))
    assert store.database["alerts"].count_documents({}) == 0


# Owned.


def test_a_file_owns_its_alerts_until_it_names_them_no_longer(store: Store) -> None:
    applied(store, FILE)
    assert "    now belongs to jobs.yaml" in lines(applied(store, FILE, owner="jobs.yaml"))
    assert store.alerts(VAULT).get("chat").owner == "jobs.yaml"
    assert applied(store, FILE) == [] and store.alerts(VAULT).get("chat").owner == "jobs.yaml"
    freed = applied(store, FILE.replace("  chat:", "  other:"), owner="jobs.yaml")
    assert "    is no longer in jobs.yaml; it stays, and can be changed or deleted elsewhere" in lines(freed)
    assert store.alerts(VAULT).get("chat").owner is None and store.alerts(VAULT).get("other").owner == "jobs.yaml"
    assert ("alert", "pager") in store.declared.revisions("jobs.yaml")
    assert ("alert", "other") in store.declared.release("jobs.yaml")
    assert store.alerts(VAULT).get("other").owner is None


def test_two_watched_files_cannot_both_say_what_an_alert_is(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "first.yaml"
    path.write_text(FILE)
    watching = JobsFile(path, store, VAULT, instance="one")
    for _ in range(3):
        watching.turn()
    assert watching.told()["trouble"] is None and store.alerts(VAULT).get("chat").owner == str(path)
    store.instances.beat("one", {"jobs_file": watching.told()}, ())
    second = load('version: 1\nalerts:\n  chat: {url: "https://h/x"}\n')
    (refused,) = plan(store, VAULT, second, owner=Owner(file="second.yaml"))
    assert refused.blocked == f"alert chat belongs to {path}, which a running instance watches; take it out of one"
    with pytest.raises(Conflict, match="take it out of one"):
        apply(store, VAULT, second, owner=Owner(file="second.yaml"))


# Told.


def test_what_was_applied_is_in_the_audit_and_no_secret(store: Store) -> None:
    who = Owner(file="jobs.yaml").who
    changed = FILE.replace(SECRET, "another that signs").replace("failures: 3", "failures: 4")
    for text in (FILE, changed, "version: 1\n"):
        record(store, who, applied(store, text, prune=True))
    found: list[Any] = [one for one in store.audit.list() if one["subject"].startswith("alerts/")]
    assert [(one["action"], one["subject"], one["before"], one["after"]) for one in found[::-1]] == [
        (
            "alert.create",
            "alerts/chat",
            None,
            {"url": "changed", "format": "slack", "jobs": ["orders"], "failures": 3},
        ),
        ("alert.create", "alerts/pager", None, {"url": "changed", "secret": "changed", "stale": "2h"}),
        ("alert.update", "alerts/chat", {"failures": 3}, {"failures": 4}),
        ("alert.update", "alerts/pager", {"secret": "changed"}, {"secret": "changed"}),
        (
            "alert.delete",
            "alerts/chat",
            {"url": "changed", "format": "slack", "jobs": ["orders"], "failures": 4},
            None,
        ),
        ("alert.delete", "alerts/pager", {"url": "changed", "secret": "changed", "stale": "2h"}, None),
    ]
    assert "uyJx3" not in str(store.audit.list()) and "geheim" not in str(store.audit.list())


def test_of_two_that_apply_alerts_at_once_one_wins_wholly(store: Store) -> None:
    applied(store, HEAD)
    barrier = threading.Barrier(2)
    failed: list[Exception] = []

    def one(count: int) -> None:
        some = "".join(f'  a{number}: {{url: "https://h/x", failures: {count}}}\n' for number in range(20))
        barrier.wait()
        try:
            applied(store, f"{HEAD}alerts:\n{some}", prune=True)
        except Conflict as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(count,)) for count in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = {alert.failures for alert in store.alerts(VAULT).list()}
    assert len(said) == 1 and len(store.alerts(VAULT).list()) == 20, (said, failed)
