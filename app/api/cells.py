"""A value of a row as a preview shows it in JSON: nothing is rounded, what JSON does not know becomes text."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from worker.clock import iso

# Beyond it a browser would round.
MOST_EXACT = 2**53
LONGEST = 2_000


def cell(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MOST_EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): cell(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [cell(item) for item in value]
    return _shortened(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat()
    return str(value)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
