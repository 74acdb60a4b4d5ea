"""What a command needs of the database: connected within 10 s of its start, or a clear no. No server has to run."""

from __future__ import annotations

import getpass
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pymongo
from pymongo.errors import OperationFailure

from app import main as program
from app.api.context import Context
from app.database import Database
from app.embedded import require_program
from app.settings import Settings
from worker import clock, logs
from worker import settings as worker_settings
from worker import store as stores
from worker.access import How, Scope, Who
from worker.errors import BadConfiguration, Fault, StoreUnavailable
from worker.settings import WorkerSettings, secret_keys
from worker.store import Store
from worker.vault import Vault

# The program's own start is a part of the 10 s.
PATIENCE = 8.0
PAUSE = 0.2


@dataclass(frozen=True)
class Session:
    settings: WorkerSettings
    store: Store
    vault: Vault

    @property
    def who(self) -> Who:
        """Whoever may read MONGO_URL may do all; his name is the one of the account that he uses."""
        return Who(name=_account(), scope=Scope.ADMIN, how=How.CLI, address=socket.gethostname())

    @property
    def context(self) -> Context:
        """What the API's shapes are made from; nobody listens here."""
        listening = Settings(
            worker=self.settings, host="", port=0, auth_token=None, admin_password=None, worker_forced=False
        )
        return Context(listening, self.store, self.vault)


def _account() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container's user without a name
        return socket.gethostname()


@contextmanager
def session() -> Iterator[Session]:
    """Settings, an answering store and the vault. Raises BadConfiguration, and StoreUnavailable after 10 s.

    In development without MONGO_URL the embedded database is used, and started where it does not run.
    """
    settings = worker_settings.load(program.environment())
    logs.configure("warning", settings.log_format, "syncworker")
    with database(settings) as url:
        store = stores.open(url, settings.mongo_database, app_name="syncworker-cli")
        try:
            answered(store.ensure_indexes)
            yield Session(replace(settings, mongo_url=url), store, Vault(secret_keys(settings)))
        finally:
            store.close()


@contextmanager
def database(settings: WorkerSettings) -> Iterator[str]:
    """The URL of MONGO_URL, or of the embedded database, which connections may refer to by the same name."""
    if settings.mongo_url is not None:
        yield settings.mongo_url
        return
    require_program()
    embedded = Database(settings.data_dir, failed=lambda: None)
    os.environ["MONGO_URL"] = embedded.url
    try:
        yield embedded.url
    finally:
        del os.environ["MONGO_URL"]
        embedded.close()


def answered(call: Callable[[], None]) -> None:
    """Call until the database answers. Raises StoreUnavailable after 10 s, BadConfiguration where it refuses us."""
    until = clock.monotonic() + PATIENCE
    while True:
        try:
            with pymongo.timeout(max(until - clock.monotonic(), PAUSE)):
                call()
            return
        except StoreUnavailable:
            if clock.monotonic() >= until - PAUSE:
                raise
        except OperationFailure as error:
            reason = error.details.get("errmsg", "") if error.details else ""
            fault = Fault(field="MONGO_URL", message=f"is refused by the server: {reason or error.code}")
            raise BadConfiguration([fault]) from None
        threading.Event().wait(PAUSE)
