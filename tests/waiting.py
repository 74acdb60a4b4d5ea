"""Waiting for a named event with a deadline: the one place where tests poll."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

PAUSE = 0.05

T = TypeVar("T")


def until(probe: Callable[[], T | None], what: str, *, timeout: float = 20.0) -> T:
    """Call `probe` until it returns something true and return that; fail naming `what` after `timeout` seconds.

    An exception of the probe counts as "not yet" and is told in the failure.
    """
    deadline = time.monotonic() + timeout
    never = threading.Event()
    while True:
        trouble: Exception | None = None
        try:
            found = probe()
        except Exception as error:
            trouble = error
        else:
            if found:
                return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {timeout:g} s in vain until {what}") from trouble
        never.wait(PAUSE)
