"""The HTTP client of connections, attacked from its other end: by names, by redirects, by endless answers."""

from __future__ import annotations

import gzip
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from worker import egress
from worker.errors import BadInput, SourceUnavailable
from worker.networks import Networks, RefusedAddress, parsed

LOOPBACK = Networks(allowed=parsed("127.0.0.0/8 ::1"))
Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A server on loopback; `answers` says by path what it does, `asked` what it was asked."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.asked.append((self.command, self.path, headers))
                site.answers.get(self.path, answering(b"hello"))(self)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]


def answering(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def redirecting(to: str, status: int = 302) -> Answer:
    return answering(b"", status, Location=to)


@contextmanager
def running(context: ssl.SSLContext | None = None) -> Iterator[Site]:
    site = Site(context)
    serving = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as made:
        yield made


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """A name server: what each name resolves to, one list an answer; the last is given again."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *more: Any, **how: Any) -> Any:
        answers = known.get(host)
        if answers is None:
            return real(host, port, *more, **how)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for address in addresses for found in real(address, port, *more, **how)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def test_a_name_is_kept_in_the_host_header_and_its_address_connected_to(
    site: Site, names: dict[str, list[list[str]]]
) -> None:
    names["shop.example"] = [["127.0.0.1"]]
    with egress.client(LOOPBACK) as client:
        answer = client.get(f"http://shop.example:{site.port}/x")
    assert answer.text == "hello"
    assert site.asked[0][2]["host"] == f"shop.example:{site.port}"


def test_a_name_that_changes_its_address_between_look_and_use_is_resolved_but_once(
    site: Site, names: dict[str, list[list[str]]]
) -> None:
    """DNS rebinding: the second answer would lead to the metadata address."""
    names["shop.example"] = [["127.0.0.1"], ["169.254.169.254"]]
    with egress.client(LOOPBACK) as client:
        assert client.get(f"http://shop.example:{site.port}/x").text == "hello"
    assert names["shop.example"] == [["169.254.169.254"]]  # that answer was never asked for
    with egress.client(LOOPBACK) as client, pytest.raises(RefusedAddress, match="metadata"):
        client.get(f"http://shop.example:{site.port}/x")


def test_one_bad_address_of_a_name_spoils_all(names: dict[str, list[list[str]]], site: Site) -> None:
    names["shop.example"] = [["127.0.0.1", "10.0.0.1"]]
    with egress.client(LOOPBACK) as client, pytest.raises(RefusedAddress, match=r"10\.0\.0\.1"):
        client.get(f"http://shop.example:{site.port}/x")
    assert site.asked == []


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "2852039166", "0xA9FEA9FE", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.254.43518"),
        *("[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "[::]"),
        *("１６９.254.169.254", "①⑥⑨.254.169.254", "169。254。169。254", "0.0.0.0", "0", "100.100.100.200"),
        *("metadata.google.internal", "METADATA.google.internal.", "metadata", "169.254.169.254."),
    ],
)
def test_the_metadata_address_is_refused_in_every_spelling(host: str) -> None:
    everything = Networks(everything=True)
    with (
        egress.client(everything) as client,
        pytest.raises((RefusedAddress, httpx.InvalidURL, httpx.ConnectError)) as no,
    ):
        client.get(f"http://{host}/latest/meta-data/")
    if isinstance(no.value, httpx.ConnectError):  # no address at all, for this machine's resolver
        assert "is not known" in str(no.value)


@pytest.mark.parametrize(
    "url", ["http://shop.example@127.0.0.1:{port}/", "http://u:p@127.0.0.1:{port}/", "http://a%40b@127.0.0.1:{port}/"]
)
def test_a_user_before_the_host_is_refused(site: Site, url: str) -> None:
    with egress.client(LOOPBACK) as client, pytest.raises(BadInput, match="before its host"):
        client.get(url.format(port=site.port))
    assert site.asked == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "unix:///tmp/x"])
def test_only_http_is_spoken(url: str) -> None:
    with egress.client(LOOPBACK) as client, pytest.raises((BadInput, httpx.UnsupportedProtocol)):
        client.get(url)


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/",
        "http://[::ffff:169.254.169.254]/",
        "http://10.0.0.1/",
        "//10.0.0.1/",
        "http://u:p@127.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_each_redirect_is_looked_at_like_a_request(site: Site, to: str) -> None:
    site.answers["/"] = redirecting(to)
    with egress.client(LOOPBACK) as client, pytest.raises((RefusedAddress, BadInput, httpx.UnsupportedProtocol)):
        client.get(f"http://127.0.0.1:{site.port}/")


def test_redirects_are_followed_and_end(site: Site) -> None:
    site.answers["/one"] = redirecting("/two")
    site.answers["/round"] = redirecting("/round")
    with egress.client(LOOPBACK) as client:
        assert client.get(f"http://127.0.0.1:{site.port}/one").text == "hello"
        with pytest.raises(egress.TooMuch, match="more than 5 times"):
            client.get(f"http://127.0.0.1:{site.port}/round")


def test_no_secret_header_follows_to_another_host(site: Site) -> None:
    with running() as other:
        site.answers["/"] = redirecting(f"http://127.0.0.1:{other.port}/there")
        site.answers["/same"] = redirecting("/here")
        secret = {"X-Api-Key": "geheim", "Authorization": "Bearer geheim", "Cookie": "a=geheim"}
        with egress.client(LOOPBACK) as client:
            client.get(f"http://127.0.0.1:{site.port}/", headers=secret)
            client.get(f"http://127.0.0.1:{site.port}/same", headers=secret)
            with pytest.raises(RefusedAddress, match="redirects a POST"):
                site.answers["/post"] = redirecting(f"http://127.0.0.1:{other.port}/", 307)
                client.post(f"http://127.0.0.1:{site.port}/post", content="geheim")
    assert [path for _, path, _ in other.asked] == ["/there"]
    assert "geheim" not in str(other.asked)
    assert site.asked[2][1] == "/here" and site.asked[2][2]["x-api-key"] == "geheim"


def test_an_answer_has_a_largest_size_packed_or_not(site: Site) -> None:
    site.answers["/long"] = answering(b"x" * 200_000)
    site.answers["/bomb"] = answering(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")
    site.answers["/packed"] = answering(gzip.compress(b"hello" * 1000), Content_Encoding="gzip")
    site.answers["/cut"] = answering(gzip.compress(b"hello" * 1000)[:-9], Content_Encoding="gzip")
    site.answers["/strange"] = answering(b"x", Content_Encoding="br")
    with egress.client(LOOPBACK, most_bytes=100_000) as client:
        for path in ("/long", "/bomb"):
            with pytest.raises(egress.TooMuch, match="more than 100,000 bytes"):
                client.get(f"http://127.0.0.1:{site.port}{path}")
        assert client.get(f"http://127.0.0.1:{site.port}/packed").text == "hello" * 1000
        with pytest.raises(egress.TooMuch, match="'br'"):
            client.get(f"http://127.0.0.1:{site.port}/strange")
        with pytest.raises(SourceUnavailable, match="cut off"):
            client.get(f"http://127.0.0.1:{site.port}/cut")


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_is_not_waited_for(head: bytes) -> None:
    """A byte now and then, in the headers or in the body, keeps no time limit of a single read from starting anew."""
    ended = threading.Event()

    class Dripping(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(head)
            while not ended.wait(0.02):
                try:
                    self.request.sendall(b"x")
                except OSError:
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dripping) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        with egress.client(LOOPBACK, most_seconds=0.5) as client, pytest.raises((egress.TooMuch, httpx.ReadTimeout)):
            client.get(f"http://127.0.0.1:{server.server_address[1]}/")
        ended.set()
        server.shutdown()


def test_no_proxy_of_the_environment_is_asked(site: Site, monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port}")
    with egress.client(LOOPBACK) as client:
        assert client.get(f"http://127.0.0.1:{site.port}/").text == "hello"


def test_the_certificate_is_checked_against_the_name(tmp_path: Path, names: dict[str, list[list[str]]]) -> None:
    """The address is what was looked at, the name is what the certificate must say; https never becomes http."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=shop.example"]
    command += ["-addext", "subjectAltName=DNS:shop.example", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    heard: list[str] = []
    server.sni_callback = lambda _socket, name, _context: heard.append(name)
    trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    names["shop.example"] = names["other.example"] = [["127.0.0.1"]]
    with running(server) as site, egress.client(LOOPBACK, verify=trusted) as client:
        assert client.get(f"https://shop.example:{site.port}/").text == "hello"
        assert heard == ["shop.example"]
        with pytest.raises(httpx.ConnectError, match="certificate"):
            client.get(f"https://other.example:{site.port}/")
        site.answers["/down"] = redirecting("http://shop.example/")
        with pytest.raises(RefusedAddress, match="from https to http"):
            client.get(f"https://shop.example:{site.port}/down")
    with running(server) as site, egress.client(LOOPBACK) as client, pytest.raises(httpx.ConnectError, match="CERT"):
        client.get(f"https://shop.example:{site.port}/")
