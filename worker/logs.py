"""Logging to stderr, for people or as JSON lines, through one redactor for every sink.

What nobody caught and what Python warns of comes the same way, or it would pass the redactor by. It keeps no file and
no history: whoever started the process reads stderr. What a run said goes to the store.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

from worker.log_fields import bound
from worker.redaction import redact, redacted, register_secret

__all__ = ["configure", "redact", "register_secret"]

_FIELDS = ("run", "job", "attempt", "instance", "stream")
# Libraries that say too much below a warning: statements, addresses, headers.
_NOISY = ("pymongo", "psycopg", "hypercorn.access", "httpx", "httpcore", "asyncio", "urllib3")


class _Console(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        text = f"{moment} {record.levelname.lower():<7} {record.getMessage()}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return redact(text)


class _Json(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "at": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": self._process,
            "message": record.getMessage(),
        }
        line |= bound()
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redact(json.dumps(redacted(line), ensure_ascii=False, default=str))


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:
        """A line that cannot be written; Python's own way would print its arguments as they are."""
        if isinstance(sys.exc_info()[1], (BrokenPipeError, ValueError)):  # nobody reads stderr any more
            return
        print(f"a log line of {record.pathname}:{record.lineno} cannot be written", file=sys.stderr)


def configure(level: str, style: str, process: str) -> None:
    """Send every logger's lines to stderr; `style` is `console` or `json`, `level` as in LOG_LEVEL."""
    handler = _Handler(sys.stderr)
    handler.setFormatter(_Json(process) if style == "json" else _Console())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _uncaught("the process", kind, error, trace)
    threading.excepthook = lambda end: _uncaught(
        f"thread {end.thread.name if end.thread else '?'}", end.exc_type, end.exc_value, end.exc_traceback
    )


def _uncaught(where: str, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, (SystemExit, KeyboardInterrupt)):
        return
    logging.getLogger(__name__).critical("%s ended by an error", where, exc_info=(kind, error or kind(), trace))
