"""Records are added, found again by page and by part, dropped by the database alone, and never too large to be kept."""

from __future__ import annotations

import pytest

from worker.access import How, Scope, Who
from worker.errors import NotFound
from worker.logs import register_secret
from worker.store import Store
from worker.store.audit import KEEP_DAYS, LONGEST_VALUE, Audit, asked, difference

WHO = Who(name="me@here", scope=Scope.ADMIN, how=How.CLI, address="here")


def test_a_record_says_who_what_when_from_where_and_what_differs(store: Store) -> None:
    store.audit.record(WHO, "job.update", "jobs/orders", before={"timeout": None}, after={"timeout": 60})
    (record,) = store.audit.list()
    assert abs((store.now() - record.pop("at")).total_seconds()) < 60 and record.pop("_id")
    assert record == {
        **{"who": "me@here", "how": "cli", "scope": "admin", "token": None, "action": "job.update"},
        **{"subject": "jobs/orders", "from": "here", "via": "cli", "request_id": None},
        **{"before": {"timeout": None}, "after": {"timeout": 60}},
    }


def test_nothing_in_the_code_changes_or_removes_one() -> None:
    public = {name for name in vars(Audit) if not name.startswith("_")}
    assert public == {"ensure_indexes", "record", "list"}


def test_the_database_drops_them_after_a_year_and_a_month(store: Store) -> None:
    kept = [one["expireAfterSeconds"] for one in store.database["audit"].list_indexes() if "expireAfterSeconds" in one]
    assert kept == [KEEP_DAYS * 86_400] and KEEP_DAYS > 365


def test_pages_follow_each_other_without_a_gap(store: Store) -> None:
    for number in range(7):
        store.audit.record(WHO, "job.run", f"jobs/j{number}")
    whole = [one["_id"] for one in store.audit.list()]
    found: list[str] = []
    while page := store.audit.list(after=found[-1] if found else None, limit=3):
        found += [one["_id"] for one in page]
    assert found == whole and len(set(whole)) == 7
    with pytest.raises(NotFound):
        store.audit.list(after="none")


def test_a_part_is_found_by_whole_words(store: Store) -> None:
    for subject in ("jobs/a", "jobs/a.b", "jobs", "jobsx/a", "runs/a"):
        store.audit.record(WHO, "job.run", subject)
    found = {one["subject"] for one in store.audit.list(asked(subject="jobs"))}
    assert found == {"jobs/a", "jobs/a.b", "jobs"}
    assert {one["subject"] for one in store.audit.list(asked(subject="jobs/a"))} == {"jobs/a"}
    assert store.audit.list(asked(action="job.ru")) == [] and len(store.audit.list(asked(action="job"))) == 5
    assert [one["subject"] for one in store.audit.list(asked(hidden=("jobs", "jobsx")))] == ["runs/a"]


@pytest.mark.parametrize(
    "odd",
    [
        {"$set": {"x": 1}, "a.b": "$$NOW", "": None},
        {"deep": [[[{"$literal": "$x"}]]]},
        {"number": 2**70, "infinite": float("inf")},
        {"object": object()},
        {"text": "\ud800"},
    ],
)
def test_whatever_stands_in_a_draft_can_be_recorded(
    store: Store, odd: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """In the collection, or in the log where the database cannot hold it; the deed is not undone for it."""
    store.audit.record(WHO, "job.update", "jobs/x", after=odd)
    assert len(store.audit.list()) + caplog.text.count("in no audit collection") == 1


def test_a_huge_value_is_told_by_its_size(store: Store) -> None:
    store.audit.record(WHO, "job.update", "jobs/x", after={"where": "x" * (LONGEST_VALUE + 1), "enabled": True})
    (record,) = store.audit.list()
    assert record["after"] == {"where": f"({LONGEST_VALUE + 1} characters, too long to be kept here)", "enabled": True}


def test_a_secret_that_the_log_knows_is_in_none(store: Store) -> None:
    register_secret("hush-hush-hush")
    odd = {
        "where": "x = 'hush-hush-hush'",
        "list": ["hush-hush-hush"],
        "url": "http://u:another@h/",
        "a": {"b": ["hush-hush-hush"]},
    }
    store.audit.record(WHO, "job.update", "jobs/x", before=odd)
    assert "hush" not in str(store.audit.list()) and "another" not in str(store.audit.list())


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ({"b": 2}, {"b": 3})),
        ({"a": 1}, {"b": None}, ({"a": 1}, {})),
        ({"a": 1}, {}, ({"a": 1}, {})),
        ({}, {"a": 1}, ({}, {"a": 1})),
        (None, {"a": 1}, (None, {"a": 1})),
        ({"a": 1}, None, ({"a": 1}, None)),
        (None, None, (None, None)),
    ],
)
def test_only_what_differs_is_kept(before: object, after: object, found: object) -> None:
    assert difference(before, after) == found  # type: ignore[arg-type]
