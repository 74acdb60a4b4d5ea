"""Serve one ASGI application on hypercorn, on a thread of its own, until told to stop.

An open event stream would hold hypercorn for its whole graceful time-out, and on Python 3.12 and later for ever
(https://github.com/pgjones/hypercorn/issues/308): streams watch the stop themselves, and whatever request is left a
second later is cancelled. No signal handlers, no access log.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from worker import clock
from worker.errors import SyncworkerError

log = logging.getLogger(__name__)

REQUEST_GRACE = 1.0
BEAT = 1.0
BACKLOG = 128

Application = Callable[..., Awaitable[None]]


class PortTaken(SyncworkerError):
    """HOST and PORT cannot be listened on."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a taken port is found before anything else starts. Raises PortTaken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortTaken(f"cannot listen on {host}: {error.strerror}; set HOST to an address of this machine") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        why = f"cannot listen on {host} port {port}: {error.strerror}"
        raise PortTaken(f"{why}; stop what listens there, or set HOST and PORT to another place") from None
    listener.setblocking(False)
    return listener


class Server:
    """`start`, then `stop`. `ended` is called when serving ends for whatever reason; `failure` says which, if bad."""

    def __init__(self, application: Application, listener: socket.socket, ended: Callable[[], None]) -> None:
        self._requests = _Requests(application)
        self._listener = listener
        self._ended = ended
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = threading.Event()
        self._wake = asyncio.Event()
        self._seen = clock.monotonic()
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin to answer; connections are queued from `listen` on."""
        self._thread.start()

    @property
    def stale_for(self) -> float:
        """Seconds since the event loop last turned; about a second at most where it is well."""
        return clock.monotonic() - self._seen

    def stop(self, patience: float) -> bool:
        """Take no more connections, let open requests end within a second; False where it lasts over `patience`."""
        self._asked.set()
        if self._loop is not None and self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(self._wake.set)
            except RuntimeError:
                pass  # the loop has just been closed
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            log.exception("the HTTP server failed")
            self.failure = error
        finally:
            self._ended()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        config = Config()
        config.bind = [f"fd://{self._listener.detach()}"]
        config.accesslog = None
        config.errorlog = logging.getLogger("hypercorn.error")
        config.errorlog.setLevel(logging.WARNING)
        config.graceful_timeout = REQUEST_GRACE + 0.5
        config.keep_alive_timeout = 30
        config.include_server_header = False
        await serve(self._requests, config, shutdown_trigger=self._until_asked)

    async def _until_asked(self) -> None:
        while not self._asked.is_set():
            self._seen = clock.monotonic()
            try:
                await asyncio.wait_for(self._wake.wait(), BEAT)
            except TimeoutError:
                continue
        asyncio.get_running_loop().call_later(REQUEST_GRACE, self._requests.cancel)


class _Requests:
    """Around the application: remembers each request's task, so that what is left at the end can be cancelled."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        if scope["type"] == "lifespan" or task is None:
            await self._application(scope, receive, send)
            return
        self._tasks.add(task)
        try:
            await self._application(scope, receive, send)
        finally:
            self._tasks.discard(task)

    def cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()
