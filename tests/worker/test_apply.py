"""A declaration meets the database: the plan, what it does, and the export that reads back as the same bytes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from worker.apply import Owner, apply, plan
from worker.change import Change
from worker.declaration import load
from worker.errors import Conflict, JobActive
from worker.export import export
from worker.run import Trigger
from worker.store import Store
from worker.vault import Vault

VAULT = Vault(["a key of the tests, long"])
FILE = """\
version: 1
connections:
  lake: {type: mongodb, url: "mongodb://u:geheim@h/", database: lake}
  shop: {type: sqlite, path: shop.db}
jobs:
  orders:
    source: shop
    destination: lake
    schedule: {every: 15m}
    streams:
      - {name: orders, mode: incremental, cursor: updated_at, key: [id], write: upsert}
"""


def applied(store: Store, text: str, *, prune: bool = False, owner: str | None = None) -> list[Change]:
    return apply(store, VAULT, load(text), prune=prune, owner=None if owner is None else Owner(file=owner))


def lines(changes: list[Change]) -> list[str]:
    """What changes, without what that means."""
    return [line for change in changes for line in str(change).splitlines() if "=>" not in line]


def test_what_is_new_is_added_connections_first(store: Store) -> None:
    assert lines(applied(store, FILE)) == ["+ connection lake", "+ connection shop", "+ job orders"]
    assert store.connections(VAULT).get("lake").settings["url"] == "mongodb://u:geheim@h/"


def test_applying_twice_changes_nothing(store: Store) -> None:
    applied(store, FILE)
    before = store.jobs.get("orders")
    assert applied(store, FILE) == []
    assert store.jobs.get("orders") == before


def test_a_plan_writes_nothing(store: Store) -> None:
    assert [change.mark for change in plan(store, VAULT, load(FILE), prune=False)] == ["+", "+", "+"]
    assert store.jobs.list() == []


def test_a_change_is_shown_field_by_field_and_never_a_secret(store: Store) -> None:
    applied(store, FILE)
    changed = FILE.replace("15m", "5m").replace("geheim", "geheimer").replace("database: lake", "database: pond")
    changes = applied(store, changed)
    assert lines(changes) == [
        "~ connection lake",
        "    url changes",
        "    database: lake -> pond",
        "~ job orders",
        "    schedule: {every: 15m} -> {every: 5m}",
    ]
    assert store.connections(VAULT).get("lake").settings["url"] == "mongodb://u:geheimer@h/"


def test_a_new_job_fires_from_now_on(store: Store) -> None:
    before = store.now()
    applied(store, FILE)
    due = store.jobs.get("orders").next_fire_time
    assert due is not None and before < due <= before + timedelta(minutes=16)
    assert (due.minute % 15, due.second) == (0, 0)


def test_a_change_elsewhere_keeps_the_next_fire_time(store: Store) -> None:
    applied(store, FILE)
    due = store.jobs.get("orders").next_fire_time
    applied(store, FILE.replace("15m}", "15m}\n    timeout: 1h"))
    assert store.jobs.get("orders").next_fire_time == due
    applied(store, FILE.replace("15m}", "15m}\n    enabled: false"))
    assert store.jobs.get("orders").next_fire_time is None


def test_what_the_file_does_not_name_stays_unless_it_is_pruned(store: Store) -> None:
    applied(store, FILE)
    assert applied(store, "version: 1\n") == []
    gone = applied(store, "version: 1\n", prune=True)
    assert lines(gone) == ["- job orders", "- connection lake", "- connection shop"]
    assert store.jobs.list() == []
    assert store.connections(VAULT).list() == []


def test_a_job_at_work_is_not_pruned(store: Store) -> None:
    applied(store, FILE)
    store.runs.create("orders", Trigger.MANUAL)
    with pytest.raises(JobActive):
        applied(store, "version: 1\n", prune=True)


def test_a_connection_that_another_job_uses_is_not_pruned(store: Store) -> None:
    applied(store, FILE)
    with pytest.raises(Conflict, match="is used by orders"):
        store.connections(VAULT).delete("shop")


def test_a_file_owns_what_it_names_until_it_names_it_no_longer(store: Store) -> None:
    applied(store, FILE)
    assert "    now belongs to jobs.yaml" in lines(applied(store, FILE, owner="jobs.yaml"))
    assert store.jobs.get("orders").owner == "jobs.yaml"
    assert applied(store, FILE) == []
    assert store.jobs.get("orders").owner == "jobs.yaml"
    released = applied(store, "version: 1\n", owner="jobs.yaml")
    assert {(change.mark, change.id) for change in released} == {("~", "orders"), ("~", "lake"), ("~", "shop")}
    assert store.jobs.get("orders").owner is None


def test_export_hides_secrets_and_reads_back_as_the_same_bytes(store: Store) -> None:
    applied(store, FILE)
    first = export(store, VAULT)
    assert "geheim" not in first
    assert "url: ${LAKE_URL}" in first
    assert applied(store, first) == []
    assert export(store, VAULT) == first
    assert store.connections(VAULT).get("lake").settings["url"] == "mongodb://u:geheim@h/"


def test_an_export_makes_another_database_the_same(store: Store) -> None:
    applied(store, FILE)
    first = export(store, VAULT)
    applied(store, "version: 1\n", prune=True)
    applied(store, first)
    assert export(store, VAULT) == first
    assert store.connections(VAULT).get("lake").settings["url"] == "${LAKE_URL}"


def test_a_stand_in_that_the_environment_has_takes_the_secrets_place(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(store, FILE)
    monkeypatch.setenv("LAKE_URL", "mongodb://elsewhere/")
    assert lines(applied(store, export(store, VAULT))) == ["~ connection lake", "    url changes"]
    assert store.connections(VAULT).get("lake").settings["url"] == "${LAKE_URL}"


def test_two_secrets_never_share_a_stand_in(store: Store) -> None:
    url = '{type: mongodb, url: "mongodb://h/", database: d}'
    applied(store, f"version: 1\nconnections:\n  a-b: {url}\n  a_b: {url}\n")
    text = export(store, VAULT)
    assert "${A_B_URL}" in text
    assert "${A_B_URL_2}" in text
