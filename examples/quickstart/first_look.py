"""Wait until syncworker answers, then start each job that never ran, so that there is something to see at once.

`make run` starts it beside the program, whose process id it is given; it ends when that ends, or after a minute.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

from app.settings import load
from worker.settings import read_environment_file

PATIENCE = 60.0
PAUSE = 0.2


class Visitor:
    """Speaks to the API as a program would."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, path: str, *, method: str = "GET") -> Any:
        request = urllib.request.Request(self.url + path, method=method, headers=self._headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def ready(self) -> bool:
        try:
            self.ask("/readyz")
            return bool(self.ask("/api/jobs")["items"])
        except (OSError, ValueError):
            return False

    def start_jobs(self) -> None:
        """Run each enabled job that has no run yet."""
        for job in self.ask("/api/jobs")["items"]:
            if job["enabled"] and not self.ask(f"/api/runs?job={job['id']}&limit=1")["items"]:
                self.ask(f"/api/jobs/{job['id']}/run", method="POST")


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def main(process: int) -> None:
    settings = load(read_environment_file(Path(".env"), os.environ))
    visitor = Visitor(settings.url.rstrip("/"), settings.auth_token)
    never = threading.Event()
    for _ in range(int(PATIENCE / PAUSE)):
        if not lives(process):
            return
        if visitor.ready():
            break
        never.wait(PAUSE)
    else:
        return
    try:
        visitor.start_jobs()
    except OSError as error:
        print(f"the first runs were not started, the schedule will: {error}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
