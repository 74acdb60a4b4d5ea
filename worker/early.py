"""Until a process has begun its work, a request to end is met at once. Standard library alone: it comes first.

Imports take a part of a second; a SIGTERM in it would end the process with the signal's number instead of 0.
`worker.stopping` takes over when there is something to end in order.
"""

from __future__ import annotations

import os
import signal


def meet_signals() -> None:
    """End with 0 on SIGTERM, SIGINT and SIGHUP, until somebody else takes them."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os._exit(0))
