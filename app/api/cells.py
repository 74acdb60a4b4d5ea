"""A value of a row as a preview shows it in JSON: nothing is rounded, what JSON does not know becomes text.

What is too large to be looked at is cut, and says so: long texts, lists and documents of many parts, whole samples.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from worker.clock import iso

# Beyond it a browser would round.
MOST_EXACT = 2**53
LONGEST = 2_000
MOST_PARTS = 100
MOST_DEPTH = 8
# Of all the rows of a sample together, as JSON.
MOST_CHARACTERS = 1_000_000


def cell(value: Any, depth: int = 1) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MOST_EXACT else _shortened(_digits(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping | list | tuple) and depth > MOST_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        shown = {_shortened(str(name)): cell(item, depth + 1) for name, item in list(value.items())[:MOST_PARTS]}
        return shown | ({"…": f"{len(value) - MOST_PARTS:,} more"} if len(value) > MOST_PARTS else {})
    if isinstance(value, list | tuple):
        items = [cell(item, depth + 1) for item in value[:MOST_PARTS]]
        return [*items, f"… {len(value) - MOST_PARTS:,} more"] if len(value) > MOST_PARTS else items
    return _shortened(_text(value))


def fitting(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of `rows` (made of cells) that are not too much to show together; always one."""
    left = MOST_CHARACTERS
    shown: list[dict[str, Any]] = []
    for row in rows:
        left -= len(json.dumps(row, ensure_ascii=False))
        if left < 0 and shown:
            break
        shown.append(row)
    return shown


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # beyond what Python writes in decimal
        return hex(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        # No more than is shown: three bytes are four characters.
        return base64.b64encode(bytes(value[:LONGEST])).decode("ascii")
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat()
    return str(value)


def _shortened(text: str) -> str:
    text = text[: LONGEST + 1].encode(errors="replace").decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
