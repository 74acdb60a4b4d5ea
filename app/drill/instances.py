"""The throw-away instances of a drill: `python -m worker` with short times, each known by its id in the database.

The kernel ends them with this process, so start them on its main thread. They get the operator's environment, save what
would reach beyond the drill: its jobs file, its data folder, its secret key, its ports.
"""

from __future__ import annotations

import secrets
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import worker
from app.child import Child, Command
from worker import clock
from worker.errors import SyncworkerError
from worker.store import Store
from worker.vault import Vault

LEASE_TTL, CLAIM_TTL, GRACE = 2.0, 3.0, 5.0
# Promised beyond SHUTDOWN_GRACE.
END_SLACK = 2.0
NOT_THEIRS = ("JOBS_FILE", "WORKER_HEALTH_PORT", "NOTIFY_SOCKET", "WATCHDOG_USEC")
ROOT = Path(worker.__file__).resolve().parent.parent


class InstanceFailed(SyncworkerError):
    """An instance ended although nobody struck it; the message has its last lines."""


@dataclass(eq=False)
class Instance:
    """One process; `id` is that of its document in `instances`, once it has one."""

    child: Child
    id: str = ""
    struck: bool = False

    @property
    def pid(self) -> int:
        return self.child.pid


@dataclass(kw_only=True)
class Instances:
    """All that were started. `env` is the operator's environment with the database's URL in it."""

    store: Store
    env: Mapping[str, str]
    folder: Path
    secret_key: str = field(default_factory=lambda: secrets.token_hex(16))
    started: list[Instance] = field(default_factory=list)

    @property
    def vault(self) -> Vault:
        return Vault([self.secret_key])

    def start(self) -> Instance:
        """Start one; `find` tells when it has told the database that it lives."""
        env = {name: value for name, value in self.env.items() if name not in NOT_THEIRS}
        env |= {
            "MONGO_DATABASE": self.store.database.name,
            "SECRET_KEY": self.secret_key,
            "DATA_DIR": str(self.folder / "data"),
            "LEASE_TTL": f"{LEASE_TTL:g}",
            "CLAIM_TTL": f"{CLAIM_TTL:g}",
            "SHUTDOWN_GRACE": f"{GRACE:g}",
            "LOG_LEVEL": "info",
            "LOG_FORMAT": "console",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": ":".join(filter(None, (str(ROOT), self.env.get("PYTHONPATH")))),
        }
        arguments = [sys.executable, "-m", "worker"]
        name = f"instance {len(self.started) + 1}"
        command = Command(name=name, arguments=arguments, env=env, folder=str(self.folder))
        self.started.append(Instance(Child(command, _unheard)))
        return self.started[-1]

    def find(self) -> bool:
        """Whether all that live are known to the database. Raises InstanceFailed."""
        self.look()
        known = {document["pid"]: document["_id"] for document in self.store.instances.list()}
        for one in self.alive:
            one.id = known.get(one.pid, "")
        return all(one.id for one in self.alive)

    def look(self) -> None:
        """Raise InstanceFailed where one ended by itself."""
        for one in self.started:
            if not one.struck and (code := one.child.poll()) is not None:
                lines = "\n  ".join(one.child.last_lines) or "it said nothing"
                raise InstanceFailed(f"pid {one.pid}, which nobody struck, ended with exit code {code}:\n  {lines}")

    @property
    def alive(self) -> list[Instance]:
        return [one for one in self.started if not one.struck]

    def of(self, instance_id: str) -> Instance | None:
        return next((one for one in self.alive if one.id and one.id == instance_id), None)

    def stop(self) -> dict[int, int | None]:
        """Ask all that live to end; their exit codes by pid, None for one that did not end in time."""
        asked = self.alive
        for one in asked:
            one.struck = True
            one.child.signal(signal.SIGTERM)
        until = clock.monotonic() + GRACE + END_SLACK
        return {one.pid: one.child.wait(max(0.0, until - clock.monotonic())) for one in asked}

    def end(self) -> None:
        """Leave none behind: a moment to end by themselves, so that nothing of theirs is on its way any more."""
        for one in self._running():
            one.child.signal(signal.SIGCONT)
            one.child.signal(signal.SIGTERM)
        until = clock.monotonic() + END_SLACK
        for one in self._running():
            if one.child.wait(max(0.0, until - clock.monotonic())) is None:
                one.child.kill()
                one.child.wait(END_SLACK)

    def _running(self) -> list[Instance]:
        return [one for one in self.started if one.child.poll() is None]


def _unheard(_name: str, _line: str) -> None:
    """What it says is kept as its last lines."""
