"""What a run says: kept while the store is away, capped, and honest about what was dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mongomock
import pytest

from worker import run_log
from worker.errors import StoreUnavailable
from worker.run_log import RunLog
from worker.store import Store
from worker.store.logs import Logs


class Flaky(Logs):
    """Logs whose appends fail while `away`."""

    away = False

    def append(self, run_id: str, lines: Sequence[dict[str, Any]], *, first: int) -> None:
        if self.away:
            raise StoreUnavailable("away")
        super().append(run_id, lines, first=first)


@pytest.fixture
def logs() -> Flaky:
    return Flaky(mongomock.MongoClient()["t"])


def told(logs: Logs) -> list[str]:
    return [line["message"] for line in logs.page("r", limit=100_000)]


def test_an_attempt_numbers_on_from_the_one_before(logs: Flaky) -> None:
    for attempt in (1, 2):
        log = RunLog(logs, "r", attempt)
        log.add("info", f"attempt {attempt}", "orders")
        log.close()
    assert [(line["n"], line["attempt"]) for line in logs.page("r")] == [(1, 1), (2, 2)]


def test_lines_stay_while_the_store_is_away(logs: Flaky) -> None:
    log = RunLog(logs, "r", 1)
    logs.away = True
    log.add("info", "first")
    log.flush()
    log.add("info", "second")
    logs.away = False
    log.flush()
    assert told(logs) == ["first", "second"]


def test_a_flood_is_cut_and_counted(logs: Flaky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_log, "MOST_LINES", 10)
    log = RunLog(logs, "r", 1)
    for number in range(1000):
        log.add("info", f"line {number}")
        if number % 100 == 0:
            log.flush()
    log.close()
    assert told(logs)[:10] == [f"line {number}" for number in range(10)]
    assert told(logs)[10:] == ["990 more lines were not kept: an attempt keeps 10"]


def test_how_it_ended_and_errors_have_room_in_a_flood(logs: Flaky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_log, "MOST_LINES", 3)
    log = RunLog(logs, "r", 1)
    for number in range(5):
        log.add("info", f"line {number}")
    log.add("error", "it broke")
    log.add("info", "cancelled", ours=True)
    log.close()
    assert told(logs)[3:] == ["it broke", "cancelled", "2 more lines were not kept: an attempt keeps 3"]


def test_a_flood_of_long_lines_is_cut_and_fits_the_database(store: Store) -> None:
    log = RunLog(store.logs, "r", 1)
    for number in range(9_000):
        log.add("info", f"{number} " + "ü" * 20_000)
    log.close()
    lines = store.logs.page("r", limit=100_000)
    assert 1_000 < len(lines) < 3_000 and lines[0]["message"].startswith("0 üü")
    assert lines[-1]["message"].startswith(f"{9_000 - len(lines) + 1:,} more lines were not kept")
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))


def test_two_writers_of_one_log_lose_no_line(logs: Flaky) -> None:
    logs.ensure_indexes()
    old, new = RunLog(logs, "r", 1), RunLog(logs, "r", 2)
    for round_ in ("first", "second"):
        for log, who in ((old, "old"), (new, "new")):
            log.add("info", f"{who} {round_}")
            log.flush()
    old.close()
    new.close()
    assert sorted(told(logs)) == ["new first", "new second", "old first", "old second"]


def test_a_text_that_no_database_holds_is_kept_as_far_as_it_can_be(logs: Flaky) -> None:
    log = RunLog(logs, "r", 1)
    log.add("info", "half a \ud800 pair")
    log.close()
    assert told(logs) == ["half a ? pair"]


def test_a_long_line_is_cut_and_says_so(logs: Flaky) -> None:
    log = RunLog(logs, "r", 1)
    log.add("info", "x" * 5000)
    log.close()
    (message,) = told(logs)
    assert message.endswith("… (1,000 more characters)")


def test_a_password_in_a_url_is_not_kept(logs: Flaky) -> None:
    log = RunLog(logs, "r", 1)
    log.add("error", "cannot reach postgres://shop:geheim@db:5432/shop")
    log.close()
    assert told(logs) == ["cannot reach postgres://shop:********@db:5432/shop"]
