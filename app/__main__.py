"""`python -m app VERB`, the same as `syncworker VERB`; without a verb it starts."""

from __future__ import annotations

import sys

SERVERS = ("start", "api", "worker")


def run() -> int:
    """The command line, with signals met from the start where the verb is a server's."""
    serves = not sys.argv[1:] or sys.argv[1] in SERVERS
    if serves:
        from worker.early import meet_signals

        meet_signals()
    from app.cli import main

    code = main()
    if serves:
        from worker.stopping import leave

        leave(code)
    return code


if __name__ == "__main__":
    sys.exit(run())
