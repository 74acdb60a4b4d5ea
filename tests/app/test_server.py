"""Serving ends when told, whatever the requests do, and a taken port is told in words."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from app import server
from app.server import PortTaken, Server
from tests.waiting import until

LONG = 3600.0


async def quick(request: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


async def hangs(request: Request) -> PlainTextResponse:
    await anyio.sleep(LONG)
    return PlainTextResponse("never")


async def streams(request: Request) -> StreamingResponse:
    async def lines() -> Any:
        yield b"first\n"
        await anyio.sleep(LONG)

    return StreamingResponse(lines())


class Served:
    def __init__(self) -> None:
        listener = server.listen("127.0.0.1", 0)
        self.port: int = listener.getsockname()[1]
        self.ended = threading.Event()
        routes = [Route("/", quick), Route("/hangs", hangs), Route("/streams", streams)]
        self.server = Server(Starlette(routes=routes), listener, ended=self.ended.set)
        self.server.start()

    def ask(self, path: str) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        return connection


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    yield one
    assert one.server.stop(10)


def test_it_answers_and_stops_at_once_when_nothing_is_open(served: Served) -> None:
    connection = served.ask("/")
    assert connection.getresponse().read() == b"here"
    assert served.server.stale_for < 5
    assert served.server.stop(5)  # the kept-alive connection does not hold it
    assert served.ended.is_set()
    assert served.server.failure is None


@pytest.mark.parametrize("path", ["/hangs", "/streams"])
def test_an_open_request_holds_it_for_a_second_and_is_then_cancelled(path: str, served: Served) -> None:
    connection = served.ask(path)
    if path == "/streams":
        assert connection.getresponse().read(6) == b"first\n"
    until(lambda: served.ask("/").getresponse().status == 200, "it answers beside it")
    assert served.server.stop(5)


def test_a_half_sent_request_does_not_hold_it(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as half:
        half.sendall(b"GET / HTTP/1.1\r\nHo")
        assert served.server.stop(5)


def test_it_stops_before_it_has_begun() -> None:
    one = Served()
    assert one.server.stop(10)


def test_a_failing_application_is_told() -> None:
    async def broken(scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no way"})

    ended = threading.Event()
    one = Server(broken, server.listen("127.0.0.1", 0), ended=ended.set)
    one.start()
    assert ended.wait(10)
    assert one.failure is not None


def test_a_taken_port_is_told_with_what_to_do() -> None:
    with server.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"127\.0\.0\.1 port {port}: .*set HOST and PORT"):
            server.listen("127.0.0.1", port)


def test_a_host_that_is_not_ours_is_told() -> None:
    with pytest.raises(PortTaken, match=r"192\.0\.2\.1"):
        server.listen("192.0.2.1", 8080)
