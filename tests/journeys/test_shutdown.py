"""SIGTERM at any moment: exit 0 in time, nothing left running, attempts handed back, the lease released, no orphan.

A few cells of the table run by default, one for each moment; all of them with `make chaos`.
"""

from __future__ import annotations

import os
import signal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import moments
from tests.journeys.ending import LEFT_BEHIND, check_end
from tests.journeys.moments import GRACE, NOISE, PROMISED, WAYS, Moment, Scene
from tests.program import Program
from tests.waiting import until

pytestmark = pytest.mark.journey

# Where nothing hangs, no grace has to run out.
AMPLE = 20
HELD: tuple[Moment, ...] = (moments.swapping, moments.waiting_for_a_file)
FREE: tuple[Moment, ...] = (
    moments.idle,
    moments.claiming,
    moments.writing,
    moments.rescuing,
    moments.querying,
    moments.connecting,
)


def table(of: tuple[Moment, ...], *default: tuple[Moment, str, str]) -> list[Any]:
    """Every moment, way and isolation; all but the `default` cells are for chaos."""
    cells = product(of, WAYS, ("thread", "process"))
    return [pytest.param(*cell, marks=() if cell in default else pytest.mark.chaos, id=named(*cell)) for cell in cells]


def named(moment: Moment, way: str, isolation: str) -> str:
    return f"{moment.__name__}-{way}-{isolation}"


def prepare(scene: Scene, way: str, isolation: str = "thread", *, grace: int = GRACE) -> None:
    scene.way = way
    scene.env |= {"RUN_ISOLATION": isolation, "SHUTDOWN_GRACE": str(grace)}


@pytest.mark.parametrize(
    ("moment", "way", "isolation"),
    table(
        FREE,
        (moments.claiming, "one process", "thread"),
        (moments.writing, "worker alone", "process"),
        (moments.rescuing, "worker alone", "thread"),
        (moments.querying, "one process", "thread"),
        (moments.connecting, "development", "thread"),
    ),
)
def test_what_can_end_ends_well_before_the_grace_does(moment: Moment, way: str, isolation: str, scene: Scene) -> None:
    prepare(scene, way, isolation, grace=AMPLE)
    one = moment(scene)
    one.signal(signal.SIGTERM)
    assert one.wait(AMPLE - 5) == 0
    assert LEFT_BEHIND not in one.output
    check_end(scene, one)


@pytest.mark.parametrize(
    ("moment", "way", "isolation"),
    table(
        HELD,
        (moments.swapping, "one process", "thread"),
        (moments.waiting_for_a_file, "worker alone", "process"),
    ),
)
def test_what_hangs_is_handed_back_when_the_grace_is_over(
    moment: Moment, way: str, isolation: str, scene: Scene
) -> None:
    prepare(scene, way, isolation)
    one = moment(scene)
    one.signal(signal.SIGTERM)
    assert one.wait(GRACE + PROMISED + NOISE) == 0
    check_end(scene, one)
    scene.ends.close()  # the lock is free; the one that waited for it is not there to take it
    assert moments.unswapped(scene, moment)


@pytest.mark.parametrize(
    ("moment", "way", "isolation"),
    table((*HELD, *FREE), (moments.swapping, "development", "process"), (moments.writing, "one process", "thread")),
)
def test_a_second_signal_ends_it_at_once(moment: Moment, way: str, isolation: str, scene: Scene) -> None:
    prepare(scene, way, isolation, grace=60)
    one = moment(scene)
    one.signal(signal.SIGTERM)
    one.signal(signal.SIGINT)
    assert one.wait(PROMISED + NOISE) == 0
    check_end(scene, one)


CALLERS = [
    ("one process", moments.listening),
    ("one process", moments.asked),
    pytest.param("development", moments.listening, marks=pytest.mark.chaos),
    pytest.param("development", moments.asked, marks=pytest.mark.chaos),
]


@pytest.mark.parametrize(("way", "moment"), CALLERS)
def test_whoever_still_listens_or_asks_does_not_hold_it(way: str, moment: Moment, scene: Scene) -> None:
    prepare(scene, way, grace=AMPLE)
    one = moment(scene)
    one.signal(signal.SIGTERM)
    assert one.wait(AMPLE - 5) == 0
    assert LEFT_BEHIND not in one.output
    check_end(scene, one)


STARTS = [
    pytest.param(way, threads, marks=() if (way, threads) == ("one process", 3) else pytest.mark.chaos)
    for way, threads in product(WAYS, (1, 2, 3, 5, 8, 12))
    if threads < 3 or way != "development"  # which has few of them
]


@pytest.mark.parametrize(("way", "threads"), STARTS)
def test_while_it_starts(way: str, threads: int, scene: Scene) -> None:
    """As many threads as it has, so far it has come."""
    prepare(scene, way)
    one = scene.launch()
    until(lambda: catches_sigterm(one.pid), "it meets signals")
    until(lambda: threads_of(one.pid) >= threads, "it has come so far")
    one.signal(signal.SIGTERM)
    assert one.wait(GRACE + PROMISED + NOISE) == 0
    assert LEFT_BEHIND not in one.output
    assert "Traceback" not in one.output
    check_end(scene, one)


def catches_sigterm(pid: int) -> bool:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "SigCgt":
            return bool(int(value, 16) >> (signal.SIGTERM - 1) & 1)
    return False


def threads_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


FROZEN = [
    pytest.param(way, numbers, marks=() if (way, numbers) == ("worker alone", 1) else pytest.mark.chaos)
    for way, numbers in product(WAYS, (1, 2))
]


@pytest.mark.parametrize(("way", "numbers"), FROZEN)
def test_an_isolated_process_that_is_frozen_is_not_left_behind(way: str, numbers: int, scene: Scene) -> None:
    prepare(scene, way, "process", grace=GRACE if numbers == 1 else 60)
    one = moments.writing(scene)
    os.kill(pid_of(one, "attempt_process"), signal.SIGSTOP)
    for number in (signal.SIGTERM, signal.SIGINT)[:numbers]:
        one.signal(number)
    assert one.wait(GRACE + PROMISED + NOISE) == 0
    check_end(scene, one)


@pytest.mark.parametrize("way", ["one process", *(pytest.param(w, marks=pytest.mark.chaos) for w in list(WAYS)[1:])])
def test_kill_9_takes_the_isolated_processes_along(way: str, scene: Scene) -> None:
    prepare(scene, way, "process")
    one = moments.writing(scene)
    os.kill(pid_of(one, "attempt_process"), signal.SIGSTOP)
    one.kill()
    until(lambda: not one.processes(), "no process is left", timeout=10)


def pid_of(one: Program, part: str) -> int:
    """The process of `one` whose command line has `part`."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in one.processes()}
    return next(pid for pid, command in commands.items() if part.encode() in command)
