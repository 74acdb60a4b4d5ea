"""Signals become events, whichever thread the kernel gives them to, and a stop always has an end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.program import ROOT

# Many idle threads, and a main thread that waits for a lock: where a handler in Python may never run.
WAITER = """
import sys, threading
from worker.stopping import Stopping
stopping = Stopping(float(sys.argv[1]))
for _ in range(8):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("up", flush=True)
stopping.stop.wait()
print("stop", flush=True)
stopping.hurry.wait()
print("hurry", flush=True)
threading.Event().wait(float(sys.argv[2]))
"""


def tell(numbers: Sequence[signal.Signals], *, grace: float = 30, lingers: float = 0) -> tuple[str, str, int]:
    """What a waiting process prints, its log and its exit code, when it gets the signals `numbers` all at once."""
    command = [sys.executable, "-c", WAITER, str(grace), str(lingers)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as waiter:
        assert waiter.stdout is not None
        assert waiter.stdout.readline() == "up\n"
        for number in numbers:
            waiter.send_signal(number)
        output, log = waiter.communicate(timeout=20)
        return output, log, waiter.returncode


@pytest.mark.parametrize("attempt", range(5))
def test_two_signals_at_once_are_a_stop_and_a_hurry(attempt: int) -> None:
    assert tell([signal.SIGTERM, signal.SIGINT]) == ("stop\nhurry\n", "", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_one_signal_stops_and_who_takes_longer_than_the_grace_is_ended(number: signal.Signals) -> None:
    output, log, code = tell([number], grace=0)
    assert (output, code) == ("stop\n", 0)
    assert "not everything ended in time" in log


def test_who_takes_too_long_in_a_hurry_is_ended() -> None:
    output, log, code = tell([signal.SIGTERM, signal.SIGINT], lingers=60)
    assert (output, code) == ("stop\nhurry\n", 0)
    assert "not everything ended in time" in log


# A thread that is not a daemon and never ends, as one that waits in a driver's C call for a peer that says nothing.
HANGER = """
import threading
from worker.stopping import leave
threading.Thread(target=threading.Event().wait).start()
print("said before", end="")
leave(3)
"""


def test_a_thread_that_hangs_does_not_hold_the_end() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGER], cwd=ROOT, capture_output=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout) == (3, b"said before")
