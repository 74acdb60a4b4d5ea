"""Lines of a run: numbered on, paged, filtered. Plain reads and writes, so an imitation of MongoDB will do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import mongomock
import pytest

from worker.errors import Conflict
from worker.store.logs import Logs

AT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def logs() -> Logs:
    logs = Logs(mongomock.MongoClient()["t"])
    logs.ensure_indexes()
    return logs


def lines(*levels: str) -> list[dict[str, Any]]:
    return [{"at": AT, "level": level, "message": f"{level} {number}"} for number, level in enumerate(levels)]


def test_lines_are_numbered_on_from_batch_to_batch(logs: Logs) -> None:
    logs.append("r", lines("info", "info"), first=1)
    logs.append("r", lines("error"), first=logs.last_number("r") + 1)
    logs.append("another", lines("info"), first=1)
    assert [(line["n"], line["message"]) for line in logs.page("r")] == [(1, "info 0"), (2, "info 1"), (3, "error 0")]


def test_a_page_begins_behind_a_number_and_has_a_limit(logs: Logs) -> None:
    for start in range(1, 100, 10):
        logs.append("r", lines(*["info"] * 10), first=start)
    assert [line["n"] for line in logs.page("r", after=15, limit=7)] == list(range(16, 23))
    assert logs.page("r", after=100) == []


def test_a_level_leaves_out_what_is_less_grave(logs: Logs) -> None:
    logs.append("r", lines("debug", "info", "warning", "error"), first=1)
    assert [line["n"] for line in logs.page("r", level="warning")] == [3, 4]


def test_two_batches_of_one_number_cannot_both_be(logs: Logs) -> None:
    logs.append("r", lines("info"), first=1)
    with pytest.raises(Conflict):
        logs.append("r", lines("info"), first=1)


def test_deleting_takes_all_lines_of_the_runs(logs: Logs) -> None:
    for run in ("a", "b", "c"):
        logs.append(run, lines("info"), first=1)
    logs.delete(["a", "b"])
    assert [logs.last_number(run) for run in ("a", "b", "c")] == [0, 0, 1]
