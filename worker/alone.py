"""The worker as a process of its own: what `python -m worker` and `syncworker worker` do with an environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from worker import logs
from worker import settings as worker_settings
from worker.main import run
from worker.redaction import register_own
from worker.stopping import Stopping


def main(env: Mapping[str, str], mongo_url: str | None = None, stopping: Stopping | None = None) -> int:
    """Run until SIGTERM or SIGINT; the second one hands runs back at once. Raises BadConfiguration.

    `mongo_url` and `stopping` are given by a caller that runs the embedded database and takes the signals itself.
    """
    register_own(env)
    settings = worker_settings.load(env)
    if settings.mongo_url is None and mongo_url is None:
        # The embedded database is the other half's: become `syncworker worker`, which brings it along.
        os.execve(sys.executable, [sys.executable, "-m", "app", "worker"], dict(env))
    if stopping is None:
        logs.configure(settings.log_level, settings.log_format, "worker")
        stopping = Stopping(settings.shutdown_grace)
    settings = replace(settings, mongo_url=settings.mongo_url or mongo_url)
    return run(settings, stopping.stop, stopping.hurry)
