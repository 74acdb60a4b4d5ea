"""A server on loopback that takes messages as a chat or a pager would, and misbehaves as told.

`verified` checks a signature by the specification's words alone, with nothing of ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Message:
    path: str
    method: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> list[tuple[str, str]]:
        """(job, kind) of each event in it."""
        return [(event["job"], event["kind"]) for event in self.json["data"]["events"]]


Answer = Callable[[BaseHTTPRequestHandler], None]


class Receiver:
    """`answer` is given to every message; `got` has them in order, those that were refused too."""

    def __init__(self, port: int = 0) -> None:
        self.answering_well = answering(200)
        self.answer: Answer = self.answering_well
        self.answers: dict[str, Answer] = {}
        self.got: list[Message] = []
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append(Message(path=self.path, method=self.command, headers=headers, body=body))
                receiver.answers.get(self.path, receiver.answer)(self)

            do_GET = do_POST

            def log_message(self, *_: Any) -> None: ...

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """Who sent it did not wait for the answer: the test knows."""

        self.server = Server(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    def hanging(self, handler: BaseHTTPRequestHandler) -> None:
        """An answer that does not come before the test releases it."""
        self.released.wait(60)
        handler.close_connection = True


def answering(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(port)
    serving = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    yield receiver
    receiver.released.set()
    receiver.server.shutdown()
    receiver.server.server_close()


def verified(message: Message, secret: str) -> bool:
    """Whether a message is signed with `secret`, a `whsec_` of Base64 or a plain text."""
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    signed = b".".join([message.id.encode(), message.headers["webhook-timestamp"].encode(), message.body])
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return f"v1,{expected}" in message.headers.get("webhook-signature", "").split(" ")
