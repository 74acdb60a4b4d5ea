"""Values inside checkpoints: plain JSON with a tag, exact, that MongoDB can store and a source can read back."""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import uuid
from typing import Any

# Beyond this JSON readers may lose digits, and beyond 64 bits MongoDB refuses: kept as text.
_PLAIN_INTEGER = 2**53


def pack(value: Any) -> dict[str, Any]:
    """`{"t": kind, "v": text or small number}`; TypeError for what orders nothing (documents, lists)."""
    if isinstance(value, bool):
        return {"t": "boolean", "v": value}
    if isinstance(value, int):
        return {"t": "integer", "v": int(value) if abs(value) < _PLAIN_INTEGER else str(value)}
    if isinstance(value, float):
        return {"t": "float", "v": repr(value)}
    if isinstance(value, datetime.datetime):
        return {"t": "timestamp" if value.tzinfo is None else "timestamptz", "v": value.isoformat()}
    for tag, of in _AS_TEXT.items():
        if isinstance(value, of):
            return {"t": tag, "v": str(value)}
    if isinstance(value, bytes):
        return {"t": "bytes", "v": base64.b64encode(value).decode()}
    raise TypeError(f"a {type(value).__name__} cannot be a checkpoint")


def unpack(packed: dict[str, Any]) -> Any:
    return _READ[packed["t"]](packed["v"])


_AS_TEXT: dict[str, type] = {
    "text": str,
    "decimal": decimal.Decimal,
    "date": datetime.date,
    "time": datetime.time,
    "uuid": uuid.UUID,
}
_READ: dict[str, Any] = {
    "boolean": bool,
    "integer": int,
    "float": float,
    "timestamp": datetime.datetime.fromisoformat,
    "timestamptz": datetime.datetime.fromisoformat,
    "text": str,
    "decimal": decimal.Decimal,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "uuid": uuid.UUID,
    "bytes": base64.b64decode,
}


def earlier(value: Any, lookback: float | str, seconds: float | None) -> Any:
    """`value` less a lookback: `seconds` for times, the number itself for numbers. TypeError where it does not go."""
    if isinstance(value, str) and seconds is not None:
        return _earlier_text(value, seconds)
    if isinstance(value, datetime.datetime) and seconds is not None:
        return value - datetime.timedelta(seconds=seconds)
    if isinstance(value, datetime.date) and seconds is not None:
        return value - datetime.timedelta(days=math.ceil(seconds / 86400))
    if isinstance(value, bool) or not isinstance(value, (int, float, decimal.Decimal)):
        raise TypeError(f"a {type(value).__name__} has no lookback")
    number = decimal.Decimal(str(lookback)) if _is_number(lookback) else None
    if number is None:
        raise TypeError(f"{lookback!r} is no number")
    if isinstance(value, int):
        return value - math.ceil(number)
    return value - number if isinstance(value, decimal.Decimal) else value - float(number)


def _is_number(lookback: float | str) -> bool:
    try:
        return decimal.Decimal(str(lookback)).is_finite()
    except decimal.InvalidOperation:
        return False


def _earlier_text(text: str, seconds: float) -> str:
    """A time kept as ISO text, in the same spelling, so that it compares with its neighbours."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise TypeError(f"{text!r} is no time") from None
    if len(text) == len("2024-01-01"):
        return (moment.date() - datetime.timedelta(days=math.ceil(seconds / 86400))).isoformat()
    back = moment - datetime.timedelta(seconds=seconds)
    spelled = back.isoformat(sep=text[10], timespec="microseconds" if "." in text else "seconds")
    return spelled.replace("+00:00", "Z") if text.endswith("Z") else spelled
