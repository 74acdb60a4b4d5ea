"""What every handler may reach: settings, the store, the vault, and the worker where it is inside."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from worker.settings import WorkerSettings
from worker.store import Store
from worker.vault import Vault

if TYPE_CHECKING:
    from worker.main import Worker


class Settings(Protocol):
    """The settings that this half of the program reads; `app.settings.Settings` has them."""

    @property
    def worker(self) -> WorkerSettings: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def auth_token(self) -> str | None: ...
    @property
    def admin_password(self) -> str | None: ...
    @property
    def allowed_hosts(self) -> tuple[str, ...]: ...
    @property
    def trusted_proxies(self) -> tuple[str, ...]: ...
    @property
    def worker_inside(self) -> bool: ...


@dataclass(frozen=True)
class Context:
    """One a process. `stopping` is set when it ends: whatever waits for long must watch it."""

    settings: Settings
    store: Store
    vault: Vault
    worker: Worker | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
