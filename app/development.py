"""Development mode: which children the supervisor keeps, with what environment, and when each is ready.

The embedded mongod, the API, the worker and the dashboard's dev server. With the dev server, that one listens on
HOST:PORT and hands /api, /healthz, /readyz and /metrics on to the API, which then listens on a port of its own
(`VITE_API_ORIGIN` tells it where); without it, the API listens on HOST:PORT and serves the built dashboard.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from app import embedded, server
from app.child import Command
from app.settings import Settings
from app.supervisor import Loop, Program
from worker.redaction import OWN_SECRETS
from worker.settings import secret_keys

DASHBOARD = Path(__file__).resolve().parent.parent / "static"
VITE = DASHBOARD / "node_modules" / "vite" / "bin" / "vite.js"
OLDEST_NODE = (20, 19)
DEV_SERVER = "dashboard"
ANSWER_PATIENCE = 0.2
REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def run(settings: Settings, env: Mapping[str, str]) -> int:
    """Supervise until a signal comes or a child is beyond help; the exit code. Raises PortTaken, BadConfiguration."""
    server.listen(settings.host, settings.port).close()  # a taken port is said at once, not by a child five times
    secret_keys(settings.worker)  # made here once, before two children would
    children = programs(settings, env)
    loop = Loop(children, grace=settings.worker.shutdown_grace)
    if not any(child.name == DEV_SERVER for child in children):
        wanted = ".".join(map(str, OLDEST_NODE))
        loop.say(f"No Node {wanted} with static/node_modules here: the built dashboard of static/dist is served.")
    loop.say(f"{settings.url} (Ctrl-C ends it all)")
    return loop.run()


def programs(settings: Settings, env: Mapping[str, str]) -> list[Program]:
    """The children in the order in which they need each other; API and worker wait for the database by themselves."""
    found = []
    shared = {**env, "PYTHONUNBUFFERED": "1"}
    if settings.worker.mongo_url is None:
        embedded.require_program()
        port = embedded.choose_port(settings.worker.data_dir)
        found.append(_python("mongod", ("app.embedded", str(settings.worker.data_dir), str(port)), shared))
        shared["MONGO_URL"] = embedded.url_at(port)
    vite = dev_server()
    # On the same host: there the API answers to the same names as the dev server does.
    inner = replace(settings, port=_free_port(settings.host)) if vite else settings
    own = {"PORT": str(inner.port), "ENABLE_SYNC_WORKER": str(settings.worker_inside).lower()}
    found.append(replace(_python("api", ("app", "api"), {**shared, **own}), ready=_answers(_reached(inner))))
    if settings.worker_forced is None:
        found.append(_python("worker", ("worker",), shared))
    if vite:
        public = {name: value for name, value in shared.items() if name not in OWN_SECRETS}
        origin = _reached(inner).url.rstrip("/")
        public |= {"HOST": settings.host, "PORT": str(settings.port), "VITE_API_ORIGIN": origin}
        command = Command(name=DEV_SERVER, arguments=vite, env=public, folder=str(DASHBOARD))
        found.append(Program(name=DEV_SERVER, command=command, needs=("api",)))
    return found


def _python(name: str, module: tuple[str, ...], env: Mapping[str, str]) -> Program:
    return Program(name=name, command=Command(name=name, arguments=[sys.executable, "-m", *module], env=env))


def dev_server() -> list[str] | None:
    """How to run the dashboard's dev server; None where Node, or what it needs of npm's, is missing or too old."""
    node = shutil.which("node")
    if node and VITE.exists() and _version(node) >= OLDEST_NODE:
        return [node, str(VITE)]
    return None


def _version(node: str) -> tuple[int, ...]:
    try:
        text = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
        return tuple(int(part) for part in text.strip().lstrip("v").split("."))
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def _answers(settings: Settings) -> Callable[[], bool]:
    """Whether somebody listens there."""

    def ask() -> bool:
        try:
            socket.create_connection((settings.host, settings.port), timeout=ANSWER_PATIENCE).close()
        except OSError:
            return False
        return True

    return ask


def _reached(settings: Settings) -> Settings:
    """As seen from this machine: a wildcard address is no address to ask."""
    return replace(settings, host=REACHED_AT.get(settings.host, settings.host))


def _free_port(host: str) -> int:
    with server.listen(host, 0) as probe:
        port: int = probe.getsockname()[1]
    return port
