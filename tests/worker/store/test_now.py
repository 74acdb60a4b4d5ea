"""The database server's clock, as the store reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from worker import clock
from worker.store import Store


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine stands in New York."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_the_servers_clock_does_not_depend_on_the_zone_of_this_machine(store: Store) -> None:
    now = store.now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - clock.wall()) < timedelta(minutes=1)
