"""The pipe between reading and writing: bounded, in order, and honest about errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.waiting import until
from worker.batch import Batch
from worker.errors import Stopped
from worker.sync.pipe import MOST_BATCHES, Pipe


def batch(number: int, size: int = 10) -> Batch:
    return Batch(stream="s", rows=[{"n": number}], bytes=size, checkpoint=number)


def filled(pipe: Pipe, batches: Iterator[Batch]) -> threading.Thread:
    thread = threading.Thread(target=pipe.fill, args=(batches,), daemon=True)
    thread.start()
    return thread


def test_batches_arrive_in_order() -> None:
    pipe = Pipe(limit=25)
    filled(pipe, iter([batch(number) for number in range(100)]))
    assert [one.checkpoint for one in pipe.drain(lambda: None)] == list(range(100))


def test_the_reader_waits_while_the_limit_is_under_way() -> None:
    made: list[int] = []

    def source() -> Iterator[Batch]:
        for number in range(10):
            made.append(number)
            yield batch(number)

    pipe = Pipe(limit=20)
    thread = filled(pipe, source())
    drained = pipe.drain(lambda: None)
    first = next(drained)
    assert first.checkpoint == 0
    assert len(made) <= 4  # the one in hand, two under way, one at the door
    pipe.close()
    thread.join(10)
    assert not thread.is_alive()


def test_one_batch_fits_however_large() -> None:
    pipe = Pipe(limit=5)
    filled(pipe, iter([batch(0, 1000), batch(1, 1000)]))
    assert len(list(pipe.drain(lambda: None))) == 2


def test_an_error_arrives_behind_the_batches_before_it() -> None:
    def source() -> Iterator[Batch]:
        yield batch(0)
        raise OSError("broke off")

    pipe = Pipe()
    filled(pipe, source())
    drained = pipe.drain(lambda: None)
    assert next(drained).checkpoint == 0
    with pytest.raises(OSError, match="broke off"):
        next(drained)


def test_a_check_that_raises_ends_the_wait() -> None:
    def stop() -> None:
        raise InterruptedError("enough")

    gate = threading.Event()

    def source() -> Iterator[Batch]:
        gate.wait(30)
        yield batch(0)

    pipe = Pipe()
    filled(pipe, source())
    with pytest.raises(InterruptedError):
        next(pipe.drain(stop))
    pipe.close()
    gate.set()


def test_told_to_stop_it_delivers_what_was_read_and_reads_no_more() -> None:
    made: list[int] = []
    stop = threading.Event()

    def source() -> Iterator[Batch]:
        for number in range(100):
            made.append(number)
            yield batch(number)

    def check() -> None:
        if stop.is_set():
            raise Stopped("shutting down")

    pipe = Pipe()
    thread = filled(pipe, source())
    delivered = []
    with pytest.raises(Stopped):
        for one in pipe.drain(check):
            delivered.append(one.checkpoint)
            if len(delivered) == 10:
                until(lambda: len(made) == 10 + MOST_BATCHES + 1, "the reader waits at the door")
                stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert delivered == made[: len(delivered)]
    assert len(made) - len(delivered) <= 1  # the one at the door may come too late
    assert not pipe.spent
