"""The delay before the next attempt: it doubles, is capped, and does not change from one look to the next."""

from __future__ import annotations

from worker.job import Retry
from worker.retry import JITTER, delay


def test_the_delay_doubles_up_to_its_cap() -> None:
    retry = Retry(attempts=9, backoff=10, max_backoff=60)
    for attempt, full in [(1, 10), (2, 20), (3, 40), (4, 60), (500, 60)]:
        assert full * (1 - JITTER) <= delay(retry, attempt, run_id="r") <= full


def test_the_jitter_is_a_runs_own_and_stable() -> None:
    retry = Retry()
    delays = {delay(retry, 1, run_id=run) for run in "abcdefgh"}
    assert len(delays) == 8
    assert delay(retry, 1, run_id="a") == delay(retry, 1, run_id="a")
