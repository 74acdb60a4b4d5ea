"""Requests as an attacker writes them: straight into the application, nothing put right on the way by a client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio

Headers = Sequence[tuple[str, str]]
HOST = ("host", "localhost:8080")


@dataclass
class Response:
    status: int
    headers: dict[str, str]


def ask(app: Any, method: str, path: str, headers: Headers = (HOST,), body: bytes = b"", query: str = "") -> Response:
    """Only how the response begins: an endless one is left then."""
    return anyio.run(_ask, app, method, path, headers, body, query)


async def _ask(app: Any, method: str, path: str, headers: Headers, body: bytes, query: str) -> Response:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8080),
        "state": {},
    }
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    found: list[Response] = []

    async def receive() -> Any:
        if not waiting:
            await anyio.sleep_forever()
        return waiting.pop()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            named = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            found.append(Response(message["status"], named))
            begun.set()

    begun = anyio.Event()
    async with anyio.create_task_group() as group:

        async def answer() -> None:
            await app(scope, receive, send)
            begun.set()

        group.start_soon(answer)
        await begun.wait()
        group.cancel_scope.cancel()
    return found[0]
