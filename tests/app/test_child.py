"""One process: its lines, its end, and that it does not outlive whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.child import Child, Command
from tests.program import ROOT
from tests.waiting import until

WAITS = "import signal; print('up', flush=True); signal.pause()"


class Lines:
    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.said.append((name, line))


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def started(lines: Lines) -> Iterator[list[Child]]:
    children: list[Child] = []
    yield children
    for child in children:
        child.kill()
        child.wait(5)


def start(started: list[Child], lines: Lines, text: str, **more: object) -> Child:
    child = Child(Command(name="one", arguments=[sys.executable, "-c", text], **more), lines)  # type: ignore[arg-type]
    started.append(child)
    return child


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_its_lines_come_with_its_name_and_the_last_are_kept(started: list[Child], lines: Lines) -> None:
    child = start(started, lines, "import sys; print('out'); print('err', file=sys.stderr); print('no end', end='')")
    until(lambda: child.poll() is not None, "it has ended")
    assert sorted(lines.said) == [("one", "err"), ("one", "no end"), ("one", "out")]
    assert sorted(child.last_lines) == ["err", "no end", "out"]
    assert child.poll() == 0


def test_bytes_that_are_no_text_do_not_stop_the_reading(started: list[Child], lines: Lines) -> None:
    child = start(started, lines, r"import os; os.write(1, b'\xff\xfe\nafter\n')")
    until(lambda: child.poll() is not None, "it has ended")
    assert lines.said[-1] == ("one", "after")


def test_its_environment_is_the_one_given(started: list[Child], lines: Lines) -> None:
    child = start(started, lines, "import os; print(os.environ.get('GIVEN'), 'HOME' in os.environ)", env={"GIVEN": "x"})
    until(lambda: child.poll() is not None, "it has ended")
    assert lines.said == [("one", "x False")]


def test_a_signal_that_ended_it_is_its_negative_exit_code(started: list[Child], lines: Lines) -> None:
    child = start(started, lines, WAITS)
    until(lambda: lines.said, "it runs")
    assert child.poll() is None
    child.signal(signal.SIGTERM)
    assert child.wait(10) == -signal.SIGTERM
    child.signal(signal.SIGTERM)  # no error: it has ended


def test_it_does_not_get_the_signals_of_our_terminal(started: list[Child], lines: Lines) -> None:
    child = start(started, lines, WAITS)
    assert os.getsid(child.pid) == child.pid
    assert os.getpgid(child.pid) != os.getpgid(0)


def test_what_it_left_behind_goes_with_it(started: list[Child], lines: Lines) -> None:
    text = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {WAITS!r}]).pid, flush=True)"
    child = start(started, lines, text)
    until(lambda: len(lines.said) == 2, "both run")
    left = int(next(line for _, line in lines.said if line != "up"))
    until(lambda: child.poll() is not None, "it has ended")
    until(lambda: not lives(left), "the one that it started is gone")


PARENT = f"""
import sys, threading, time
sys.path.insert(0, {str(ROOT)!r})
from app.child import Child, Command
child = Child(Command(name="one", arguments=[sys.executable, "-c", {WAITS!r}]), lambda name, line: None)
print(child.pid, flush=True)
threading.Event().wait()
"""


def test_kill_9_of_its_parent_takes_it_along() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert lives(pid)
    parent.kill()
    parent.wait()
    until(lambda: not lives(pid), "the child is gone", timeout=10)
    parent.stdout.close()


def test_a_thread_that_outlives_it_may_start_it(started: list[Child], lines: Lines) -> None:
    ended = threading.Event()

    def keep() -> None:
        start(started, lines, WAITS)
        ended.wait(30)

    keeper = threading.Thread(target=keep)
    keeper.start()
    until(lambda: lines.said, "it runs")
    assert started[0].poll() is None
    ended.set()
    keeper.join()
    assert started[0].wait(10) == -signal.SIGKILL  # the kernel's tie is to the thread
