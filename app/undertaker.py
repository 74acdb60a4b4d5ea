"""End supervisord when one of its programs is beyond help: an event listener for supervisord.conf.

supervisord itself restarts for ever, or gives a program up and goes on without it; whoever watches supervisord then
sees nothing wrong. Beyond help is: FATAL, an exit that counts as expected (bad configuration: `exitcodes=2`), or five
deaths of one program within a minute. Protocol: http://supervisord.org/events.html
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TextIO

from app.supervisor import DEATHS, WITHIN

FATAL = "PROCESS_STATE_FATAL"
EXPECTED = "1"


class Undertaker:
    """Takes in events and remembers deaths; `judge` says why supervisord should end, or None."""

    def __init__(self) -> None:
        self._deaths: dict[str, list[float]] = {}

    def judge(self, event: str, facts: dict[str, str], now: float) -> str | None:
        name = facts.get("processname", "?")
        if event == FATAL:
            return f"{name} cannot be started"
        if facts.get("expected") == EXPECTED:
            return f"{name} cannot run as it is configured"
        recent = [moment for moment in self._deaths.get(name, []) if now - moment < WITHIN]
        self._deaths[name] = [*recent, now]
        if len(self._deaths[name]) >= DEATHS:
            return f"{name} ended {DEATHS} times within {WITHIN:.0f} s"
        return None


def facts_of(line: str) -> dict[str, str]:
    """`key:value key:value` as a dictionary."""
    return dict(pair.split(":", 1) for pair in line.split() if ":" in pair)


def listen(inbox: TextIO, outbox: TextIO, undertaker: Undertaker) -> str | None:
    """Answer supervisord's events until there is a reason to end it, which is returned; None where it went away."""
    while True:
        outbox.write("READY\n")
        outbox.flush()
        header = facts_of(inbox.readline())
        if "len" not in header:
            return None
        facts = facts_of(inbox.read(int(header["len"])))
        reason = undertaker.judge(header.get("eventname", ""), facts, time.monotonic())
        outbox.write("RESULT 2\nOK")
        outbox.flush()
        if reason:
            return reason


def main() -> None:
    supervisord = os.getppid()
    if reason := listen(sys.stdin, sys.stdout, Undertaker()):
        print(f"undertaker: {reason}; ending supervisord", file=sys.stderr, flush=True)
        os.kill(supervisord, signal.SIGTERM)


if __name__ == "__main__":
    main()
