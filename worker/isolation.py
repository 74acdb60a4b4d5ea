"""`RUN_ISOLATION=process`: an attempt in a child process of its own, killable and bounded in memory.

The parent keeps the claim and relays what is asked over the child's stdin; the child moves the rows, writes its
checkpoints and records its end. A child that dies, or does not end in time, is killed with all that it started, and
the parent records that. When the parent dies, the kernel kills the child: its claim could not be renewed any more.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from typing import IO, Any

from bson import json_util

from worker import clock
from worker.attempt import LOST, Attempt
from worker.errors import ProcessDied, Stopped
from worker.log_fields import carried
from worker.redaction import OWN_SECRETS, shortened
from worker.settings import WorkerSettings, secret_keys
from worker.signals import Signals
from worker.store import Store
from worker.store.client import Document
from worker.vault import Vault

log = logging.getLogger(__name__)

RELAY_EVERY = 0.2
# A cancel must reach a run within two seconds: so long may the child take to end by itself.
KILL_AFTER = 1.0
MEMORY_LIMIT = 2 * 1024**3


class IsolatedAttempt:
    """As `worker.attempt.Attempt`, seen from the runner."""

    def __init__(self, run: Document, store: Store, vault: Vault, signals: Signals, settings: WorkerSettings) -> None:
        self.run_id: str = run["_id"]
        self.job_id: str = run["job_id"]
        self.token: int = run["claim"]["token"]
        self.number: int = run["attempt"]
        self.signals = signals
        self.timeout: float | None = None
        self._run = run
        self._store = store
        self._vault = vault
        self._settings = settings
        self._progress: dict[str, Any] = dict(run["progress"])
        self.outcome = LOST
        self._child: subprocess.Popen[str] | None = None

    def progress(self) -> dict[str, Any]:
        return self._progress

    def flush_log(self) -> None:
        """The child stores its own lines."""

    def kill(self) -> None:
        """End the child and all that it started, at once; it writes nothing after that."""
        if child := self._child:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def execute(self) -> None:
        """Run the child to its end; never raises."""
        died: Exception
        try:
            job = self._store.jobs.find(self.job_id)
            self.timeout = job.timeout if job else None
            code, killed_for = self._run_child()
            if code == 0:
                return
            died = killed_for or ProcessDied(f"the process of this run {_how(code)}")
        except Exception as error:
            log.exception("run %s of %s: its process could not be run", self.run_id, self.job_id)
            died = error
        run = dict(self._run) | {"progress": self._progress}
        ending = Attempt(run, self._store, self._vault, self.signals)
        ending.end_as(died)
        self.outcome = ending.outcome

    def _run_child(self) -> tuple[int, Exception | None]:
        """The child's exit code, and what it was killed for."""
        command = [sys.executable, "-m", "worker.attempt_process", str(os.getpid())]
        pipe = subprocess.PIPE
        # Our own secrets come with its order: what a process was started with can be read from outside.
        env = {name: value for name, value in os.environ.items() if name not in OWN_SECRETS}
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True, env=env) as child:
            assert child.stdin is not None and child.stdout is not None
            self._child = child
            resource.prlimit(child.pid, resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))
            listener = threading.Thread(target=carried(self._listen), args=(child.stdout,), daemon=True)
            listener.start()
            self._send(child.stdin.fileno(), self._order())
            os.set_blocking(child.stdin.fileno(), False)  # a child that does not listen must not hold us
            killed_for = self._watch(child, child.stdin.fileno())
            self.kill()  # what it left behind
            self._child = None
            listener.join(1.0)
        return child.returncode, killed_for

    def _order(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "run": json.loads(json_util.dumps(self._run)),
            "mongo_url": settings.mongo_url,
            "mongo_database": settings.mongo_database,
            "secret_keys": list(secret_keys(settings)),
            "own": {name: os.environ[name] for name in OWN_SECRETS if name in os.environ},
            "log_level": settings.log_level,
            "log_format": settings.log_format,
            "trusted_until": self.signals.trusted_until,
        }

    def _watch(self, child: subprocess.Popen[str], orders: int) -> Exception | None:
        told: Exception | None = None
        kill_at: float | None = None
        while child.poll() is None:
            self._send(orders, {"trusted_until": self.signals.trusted_until})
            reason = self.signals.reason
            if reason is not None and type(reason) is not type(told):
                told = reason
                self._send(orders, {"end": type(reason).__name__, "message": str(reason)})
                if not isinstance(reason, Stopped):  # a stop waits for a checkpoint, as long as the grace allows
                    kill_at = clock.monotonic() + KILL_AFTER
            if kill_at is not None and clock.monotonic() >= kill_at:
                self.kill()
                child.wait()
                return reason
            self._pause(child)
        return None

    @staticmethod
    def _pause(child: subprocess.Popen[str]) -> None:
        try:
            child.wait(RELAY_EVERY)
        except subprocess.TimeoutExpired:
            pass

    def _listen(self, reports: IO[str]) -> None:
        for line in reports:
            try:
                report = json_util.loads(line)
                self._progress, self.outcome = report["progress"], report["outcome"]
            except (ValueError, TypeError, KeyError):
                log.warning("run %s: its process printed %r", self.run_id, shortened(line, 200))

    @staticmethod
    def _send(orders: int, message: dict[str, Any]) -> None:
        try:
            os.write(orders, json.dumps(message).encode() + b"\n")
        except (BrokenPipeError, BlockingIOError):
            pass  # it has just ended, or hangs; the watcher sees that


def _how(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        hint = "out of memory?" if code == -signal.SIGKILL else signal.strsignal(-code)
        return f"was killed by signal {-code} ({hint})"
    return f"ended with exit code {code}"
