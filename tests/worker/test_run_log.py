"""What a run says: kept while the store is away, capped, and honest about what was dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mongomock
import pytest

from worker import run_log
from worker.errors import StoreUnavailable
from worker.run_log import RunLog
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
    assert told(logs)[10:] == ["990 more lines were dropped: a run keeps 10"]


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
