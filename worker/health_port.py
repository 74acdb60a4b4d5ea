"""What a worker that runs alone tells on WORKER_HEALTH_PORT: `/healthz`, `/readyz`, and `/metrics` of its process."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from worker import metrics
from worker.errors import BadConfiguration, Fault

# `/readyz` says no within 3 s, whatever the driver does.
PATIENCE = 2.5


def open_health_port(port: int, reasons: Callable[[], list[str]]) -> ThreadingHTTPServer:
    """Answer on 127.0.0.1:`port`, on threads of its own, until the server's `shutdown`. Raises BadConfiguration.

    `reasons` as in `/readyz`.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._say(200, metrics.MEDIA_TYPE, metrics.own_text())
                return
            if self.path not in ("/healthz", "/readyz"):
                self.send_error(404)
                return
            found = _in_time(reasons) if self.path == "/readyz" else []
            body = json.dumps({"ready": not found, "reasons": found}).encode()
            self._say(503 if found else 200, "application/json", body)

        def _say(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: a probe every few seconds is no news."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        message = f"is {port}, where nothing can listen: {error.strerror}"
        raise BadConfiguration([Fault(field="WORKER_HEALTH_PORT", message=message)]) from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


def _in_time(reasons: Callable[[], list[str]]) -> list[str]:
    """`reasons`, or that they could not be found in time."""
    found: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    threading.Thread(target=lambda: found.put(reasons()), name="readiness", daemon=True).start()
    try:
        return found.get(timeout=PATIENCE)
    except queue.Empty:
        return [f"MongoDB does not answer within {PATIENCE:g} s"]
