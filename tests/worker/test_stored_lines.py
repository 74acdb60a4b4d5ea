"""Lines of a run: numbered on, paged, filtered. Plain reads and writes, so an imitation of MongoDB will do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import mongomock
import pytest

from worker.errors import Conflict
from worker.store.logs import Logs, Sought

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


def test_marks_lead_to_any_part_of_what_is_sought(logs: Logs) -> None:
    for start in range(1, 1000, 10):
        logs.append("r", lines(*["info", "warning"] * 5), first=start)
    sought = Sought(level="warning")
    found = logs.marks("r", sought, every=100)
    assert found == {"count": 500, "marks": [2, 202, 402, 602, 802], "lines": 1000}
    part = logs.page("r", after=found["marks"][3] - 1, limit=100, level="warning")
    assert (part[0]["n"], part[-1]["n"], len(part)) == (602, 800, 100)
    assert logs.marks("r", sought, after=801, every=100) == {"count": 100, "marks": [802], "lines": 1000}


def test_marks_of_everything_are_counted_without_reading(logs: Logs) -> None:
    logs.append("r", lines(*["info"] * 450), first=1)
    assert logs.marks("r", Sought(level="debug")) == {"count": 450, "marks": [1, 201, 401], "lines": 450}
    assert logs.marks("r", Sought(), after=400) == {"count": 50, "marks": [401], "lines": 450}
    assert logs.marks("r", Sought(), after=450) == {"count": 0, "marks": [], "lines": 450}
    assert logs.marks("empty", Sought()) == {"count": 0, "marks": [], "lines": 0}


def test_lines_of_one_attempt_and_with_words_are_found_whatever_their_case(logs: Logs) -> None:
    said = [(1, "Reading (a) STRASSE"), (2, "reading (a) Straße"), (2, "done")]
    logs.append("r", [{"at": AT, "level": "info", "message": m, "attempt": a} for a, m in said], first=1)
    assert [line["n"] for line in logs.page("r", attempt=2)] == [2, 3]
    assert [line["n"] for line in logs.page("r", words="READING (A)")] == [1, 2]
    assert [line["n"] for line in logs.page("r", words="straße")] == [2]
    assert logs.page("r", words="r.*g") == logs.page("r", words="\x00") == []
    assert logs.marks("r", Sought(attempt=2, words="Reading"))["marks"] == [2]


def test_two_batches_of_one_number_cannot_both_be(logs: Logs) -> None:
    logs.append("r", lines("info"), first=1)
    with pytest.raises(Conflict):
        logs.append("r", lines("info"), first=1)


def test_deleting_takes_all_lines_of_the_runs(logs: Logs) -> None:
    for run in ("a", "b", "c"):
        logs.append(run, lines("info"), first=1)
    logs.delete(["a", "b"])
    assert [logs.last_number(run) for run in ("a", "b", "c")] == [0, 0, 1]
