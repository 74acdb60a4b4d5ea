"""The child process of `worker.isolation`: does one attempt, told over stdin what to do, telling progress on stdout."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from typing import Any

from bson import json_util

from worker import logs
from worker import store as stores
from worker.attempt import Attempt
from worker.errors import Cancelled, Stopped, SyncworkerError, TimedOut
from worker.log_fields import bind
from worker.redaction import register_own
from worker.service import Service
from worker.signals import Signals
from worker.vault import Vault

PR_SET_PDEATHSIG = 1
REPORT_EVERY = 0.5
REASONS: dict[str, type[SyncworkerError]] = {kind.__name__: kind for kind in (Cancelled, Stopped, TimedOut)}


def main() -> int:
    """Read the order, do the attempt; 0 when its end is recorded (or was not ours to record)."""
    _die_with(int(sys.argv[1]))
    # Whatever prints in this process must not reach the parent as a report.
    reports = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    order = json.loads(sys.stdin.readline())
    logs.configure(order["log_level"], order["log_format"], "run")
    os.environ.update(order["own"], MONGO_URL=order["mongo_url"])  # so that references are filled, or refused, as there
    register_own(os.environ)
    store = stores.open(order["mongo_url"], order["mongo_database"])
    signals = Signals(order["trusted_until"])
    run = json_util.loads(json.dumps(order["run"]))
    attempt = Attempt(run, store, Vault(order["secret_keys"]), signals)
    threading.Thread(target=_obey, args=(signals,), name="orders", daemon=True).start()

    def report() -> float:
        reports.write(json_util.dumps({"progress": attempt.progress(), "outcome": attempt.outcome}) + "\n")
        reports.flush()
        attempt.flush_log()
        return REPORT_EVERY

    reporting = Service("report", report)
    reporting.start()
    claim = run["claim"]["instance"]
    with bind(run=attempt.run_id, job=attempt.job_id, attempt=attempt.number, instance=claim):
        attempt.execute()
    reporting.stop()
    reporting.join(1.0)
    report()  # how it ended
    store.close()
    return 0


def _die_with(parent: int) -> None:
    """Ask the kernel for a SIGKILL when the parent's thread that started us ends: a hanging process reads no stdin."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _obey(signals: Signals) -> None:
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        if "trusted_until" in order:
            signals.trust_until(order["trusted_until"])
        elif order["end"] in REASONS:
            signals.ask(REASONS[order["end"]](order["message"]))
        else:
            signals.lose()
    os._exit(1)  # the parent is gone, and with it the claim's renewal


if __name__ == "__main__":
    sys.exit(main())
