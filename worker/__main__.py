"""`python -m worker`: the worker alone, until SIGTERM."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from worker.early import meet_signals

BAD_CONFIGURATION = 2


def run() -> int:
    """Read the environment and work; the exit code."""
    from worker import settings as worker_settings
    from worker.alone import main
    from worker.errors import BadConfiguration

    try:
        # It becomes the process's own, so that a connection's ${NAME} finds what stands in the file.
        os.environ.update(worker_settings.read_environment_file(Path(".env"), os.environ))
        return main(dict(os.environ))
    except BadConfiguration as refusal:
        for fault in refusal.faults:
            print(f"syncworker: {fault.field} {fault.message}", file=sys.stderr)
        return BAD_CONFIGURATION


if __name__ == "__main__":
    meet_signals()
    code = run()
    from worker.stopping import leave

    leave(code)
