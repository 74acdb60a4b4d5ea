"""`undo JOB`: takes streams back to what they were before their last replace, in this process, watched to its end."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app.api import runs as run_shapes
from app.terminal import Progress, print_json
from app.verbs.recording import recorded
from app.verbs.run import FAILED, SUCCEEDED, interruptible
from app.verbs.session import session
from worker import clock
from worker.foreground import Foreground
from worker.run import RunState
from worker.undo import Offer, offers


def undo(job_id: str, stream: str | None, *, yes: bool, as_json: bool) -> int:
    """Ask a person at a terminal first. Raises NotFound, Conflict (nothing is kept, a held run), JobActive."""
    progress = Progress(sys.stderr if as_json else sys.stdout)
    with session() as here, interruptible() as stop:
        offered = offers(here.store, here.store.jobs.get(job_id), stream)
        if not yes and not _agreed(offered):
            print("nothing was changed", file=sys.stderr)
            return FAILED
        here_and_now = Foreground(here.settings, here.store, here.vault)
        streams = [offer.stream for offer in offered]
        ended = here_and_now.run(job_id, watch=recorded(here, "undo", progress), stop=stop, undo=streams)
        progress.clear()
    if as_json:
        print_json(run_shapes.shape(ended))
    if ended["state"] == RunState.SUCCEEDED:
        if not as_json:
            print(f"{', '.join(streams)} {ended['reason']}")
        return SUCCEEDED
    why = (ended["error"] or {}).get("message") or ended["reason"]
    print(f"syncworker: {ended['state']}: {why}", file=sys.stderr)
    print(f"syncworker: its log is `syncworker logs {ended['_id']}`", file=sys.stderr)
    return FAILED


def _agreed(offered: Sequence[Offer]) -> bool:
    """Ask a person at a terminal; a program is not asked."""
    if not sys.stdin.isatty():
        return True
    for offer in offered:
        rows, kept_at = offer.note["rows"], clock.iso(offer.note["kept_at"])
        many = "" if rows is None else f", {rows:,} {'row' if rows == 1 else 'rows'}"
        print(f"{offer.stream}: back to {offer.words}{many}, until {kept_at}", file=sys.stderr)
    print("Go back? What is there now is kept. [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
