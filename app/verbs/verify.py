"""`verify JOB`: are the rows at the destination those of the source? A run of the job, in this process, to its end."""

from __future__ import annotations

import sys
from typing import Any

from app.api import runs as run_shapes
from app.terminal import Progress, print_json
from app.verbs.recording import recorded
from app.verbs.run import FAILED, SUCCEEDED, interruptible
from app.verbs.session import session
from worker.foreground import Foreground
from worker.logs import redact
from worker.run import RunState
from worker.sync.verify import in_words
from worker.verification import Asked, concerned


def verify(job_id: str, stream: str | None, *, repair: bool, as_json: bool) -> int:
    """Compare, and mend what differs where asked. Raises NotFound, BadInput, JobActive, Conflict (a held run)."""
    progress = Progress(sys.stderr if as_json else sys.stdout)
    asked = Asked(repair=repair, stream=stream).document()
    with session() as here, interruptible() as stop:
        job = concerned(here.store.jobs.get(job_id), {"verify": asked})
        here_and_now = Foreground(here.settings, here.store, here.vault)
        ended = here_and_now.run(job_id, watch=recorded(here, "verify", progress), stop=stop, verify=asked)
        progress.clear()
    if as_json:
        print_json(run_shapes.shape(ended))
    else:
        for spec in job.streams:
            _print(spec.name, (ended.get("verified") or {}).get(spec.name))
    if ended["state"] == RunState.SUCCEEDED:
        return SUCCEEDED
    why = (ended["error"] or {}).get("message") or ended["reason"]
    print(redact(f"syncworker: {ended['state']}: {why}"), file=sys.stderr)
    print(f"syncworker: its log is `syncworker logs {ended['_id']}`", file=sys.stderr)
    return FAILED


def _print(stream: str, found: dict[str, Any] | None) -> None:
    if found is None:
        print(f"{stream}: not verified")
        return
    print(redact(f"{stream}: {in_words(found)}"))
    for example in found["examples"]:
        print(redact(f"  {example}"))
