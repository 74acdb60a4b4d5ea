"""An HTTP client for connections that leads nowhere it should not: `client(networks)` is an `httpx.Client`.

A name is resolved once, every address that it has is looked at (`worker.networks`), and one that was looked at is
connected to; TLS and the Host header keep the name. Each redirect is a request like any other, takes no header along
that was meant for another host, and never leaves https. No proxy of the environment is asked, an answer has a largest
size and a longest time. It knows no connector and no credentials. httpx is imported on first use of this module.
Source: docs/decisions/0023-egress.md; httpcore's network backends.
"""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from worker import clock
from worker.errors import BadInput, Fault, Permanent, SourceUnavailable
from worker.networks import METADATA_NAMES, Networks, RefusedAddress

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 30.0
MOST_SECONDS = 300.0
MOST_BYTES = 64 * 1024 * 1024
MOST_REDIRECTS = 5
PIECE = 65_536

# What may go along to another origin.
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent", "content-type", "content-length"})


class TooMuch(Permanent):
    """An answer beyond its largest size, its longest time or its redirects."""


def client(
    networks: Networks, *, most_bytes: int = MOST_BYTES, most_seconds: float = MOST_SECONDS, verify: Any = True
) -> httpx.Client:
    """A client for http and https; raises RefusedAddress, BadInput, TooMuch, and httpx's own errors.

    `most_bytes` of one answer, unpacked; `most_seconds` from the request to the answer's end, redirects included.
    """
    return _Client(
        transport=_Transport(networks, most_bytes, verify),
        timeout=httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
        trust_env=False,
        headers={"accept-encoding": "gzip", "user-agent": "syncworker"},
        most_seconds=most_seconds,
    )


class _Client(httpx.Client):
    def __init__(self, *, most_seconds: float, **settings: Any) -> None:
        super().__init__(**settings, follow_redirects=False)
        self._most_seconds = most_seconds

    def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        """Send it, and what it is redirected to."""
        if how.pop("follow_redirects", False) is True:
            raise ValueError("redirects are followed here, always")
        request.extensions["until"] = until = clock.monotonic() + self._most_seconds
        for _ in range(MOST_REDIRECTS + 1):
            response = super().send(request, follow_redirects=False, **how)
            if response.next_request is None:
                return response
            response.close()
            request = _redirected(request, response.next_request)
            request.extensions["until"] = until
        raise TooMuch(f"{request.url.host} redirects more than {MOST_REDIRECTS} times")


def _redirected(before: httpx.Request, after: httpx.Request) -> httpx.Request:
    if before.url.scheme == "https" and after.url.scheme != "https":
        raise RefusedAddress(f"{before.url.host} redirects from https to {after.url.scheme}, which is not followed")
    if _origin(before.url) != _origin(after.url):
        if after.method not in ("GET", "HEAD"):
            raise RefusedAddress(
                f"{before.url.host} redirects a {after.method} to {after.url.host}; it is not sent there"
            )
        for name in list(after.headers):
            if name.lower() not in _HARMLESS and name.lower() != "host":
                del after.headers[name]
    return after


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class _Transport(httpx.HTTPTransport):
    """httpx's own, on connections that `_Backend` makes."""

    def __init__(self, networks: Networks, most_bytes: int, verify: Any) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._most_bytes = most_bytes
        self._backend = _Backend(networks)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(verify=verify, trust_env=False),
            max_connections=8,
            max_keepalive_connections=4,
            keepalive_expiry=30.0,
            network_backend=self._backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _check(request.url)
        until = float(request.extensions.get("until", clock.monotonic() + MOST_SECONDS))
        self._backend.until = until
        response = super().handle_request(request)
        packing = response.headers.pop("content-encoding", "identity").strip().lower()
        response.headers.pop("content-length", None)
        if packing not in ("identity", "gzip"):
            response.close()
            raise TooMuch(f"{request.url.host} answers packed as {packing[:40]!r}; allowed: gzip, identity")
        assert isinstance(response.stream, httpx.SyncByteStream)
        body = _Body(response.stream, packing == "gzip", self._most_bytes, request.url.host)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=body, extensions=response.extensions
        )


def _check(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https") or not url.host:
        raise BadInput([Fault(field="url", message=f"begins with {url.scheme!r}; allowed: http://…, https://…")])
    if url.userinfo:
        raise BadInput([Fault(field="url", message="has a user or password before its host; give them as settings")])


class _Body(httpx.SyncByteStream):
    """The bytes of an answer, unpacked; no more than so many."""

    def __init__(self, stream: httpx.SyncByteStream, packed: bool, most: int, host: str) -> None:
        self._stream = stream
        self._unpack = zlib.decompressobj(wbits=31) if packed else None
        self._left = most
        self._most = most
        self._host = host

    def __iter__(self) -> Iterator[bytes]:
        for data in self._stream:
            yield from self._pieces(data) if self._unpack else [self._counted(data)]
        if self._unpack and not self._unpack.eof:
            raise SourceUnavailable(f"{self._host}: the answer's gzip is cut off")

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        assert self._unpack is not None
        try:
            while data:
                yield self._counted(self._unpack.decompress(data, PIECE))
                data = self._unpack.unconsumed_tail
        except zlib.error as error:
            raise SourceUnavailable(f"{self._host}: the answer's gzip is broken ({error})") from None

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise TooMuch(f"{self._host} answers with more than {self._most:,} bytes")
        return data

    def close(self) -> None:
        self._stream.close()


class _Backend(httpcore.NetworkBackend):
    """Resolves, looks, connects. `until` is the end of the request that this thread is at."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._plain = httpcore.SyncBackend()
        self._thread = threading.local()

    @property
    def until(self) -> float:
        return float(getattr(self._thread, "until", clock.monotonic() + MOST_SECONDS))

    @until.setter
    def until(self, moment: float) -> None:
        self._thread.until = moment

    def left(self, timeout: float | None) -> float:
        """How long the next step may take. Raises TooMuch where there is no time left."""
        left = self.until - clock.monotonic()
        if left <= 0:
            raise TooMuch("the answer took longer than it may")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        trouble: Exception | None = None
        for address in self._addresses(host, port):
            try:
                stream = self._plain.connect_tcp(address, port, self.left(timeout), local_address, socket_options)
                return _Stream(stream, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble or httpcore.ConnectError(f"{host} has no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        """All addresses of the name, each of them allowed: one that is not spoils the name."""
        if host.rstrip(".").lower() in METADATA_NAMES:
            raise RefusedAddress(f"{host} is an address of cloud metadata, which is never reached")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} is not known: {error}") from None
        addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
        for address in addresses:
            self._networks.check(address, host)
        return [str(ip_address(address)) for address in addresses]

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        raise RefusedAddress(f"{path} is a socket of this machine, which is never reached")

    def sleep(self, seconds: float) -> None:
        self._plain.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends with the request's time: a server that drips is not waited for."""

    def __init__(self, stream: httpcore.NetworkStream, backend: _Backend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, self._backend.left(timeout))
        return _Stream(inner, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
