"""A loop on its own thread: what a turn that raises means, and how it stops."""

from __future__ import annotations

import threading

from tests.waiting import until
from worker.errors import StoreUnavailable
from worker.service import Service


def test_it_turns_again_after_the_seconds_that_the_turn_asks_for() -> None:
    turns: list[int] = []

    def turn() -> float:
        turns.append(1)
        return 0.0

    service = Service("counter", turn)
    service.start()
    until(lambda: len(turns) > 5, "it turned")
    service.stop()
    assert service.join(5)


def test_a_turn_that_raises_does_not_end_the_loop() -> None:
    turns: list[int] = []

    def turn() -> float:
        turns.append(1)
        if len(turns) == 1:
            raise StoreUnavailable("away")
        if len(turns) == 2:
            raise ZeroDivisionError
        return 60.0

    service = Service("stumbler", turn)
    service.start()
    until(lambda: len(turns) == 3, "it went on")
    assert service.alive
    service.stop()
    assert service.join(5)


def test_it_tells_that_the_database_did_not_serve_it_until_it_does() -> None:
    away = threading.Event()
    away.set()

    def turn() -> float:
        if away.is_set():
            raise StoreUnavailable("the disk is full")
        return 0.0

    service = Service("writer", turn)
    service.start()
    until(lambda: service.trouble == "the disk is full", "it tells")
    away.clear()
    until(lambda: service.trouble is None, "all is well")
    service.stop()
    assert service.join(5)


def test_a_wake_ends_the_wait_early() -> None:
    turned = threading.Semaphore(0)

    def turn() -> float:
        turned.release()
        return 3600.0

    service = Service("sleeper", turn)
    service.start()
    assert turned.acquire(timeout=5)
    service.wake()
    assert turned.acquire(timeout=5)
    service.stop()
    assert service.join(5)


def test_waiting_long_is_not_being_stuck_but_a_long_turn_is() -> None:
    gate, begun = threading.Event(), threading.Event()

    def turn() -> float:
        begun.set()
        gate.wait(30)
        return 0.0

    service = Service("stuck", turn)
    service.start()
    assert begun.wait(5)
    until(lambda: service.stale_for > 0.2, "the turn takes long")
    gate.set()
    service.stop()
    assert service.join(5)
