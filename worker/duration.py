"""Durations as people write them: `10s`, `15m`, `1h30m`, `2d`, or a number of seconds. It knows no calendar."""

from __future__ import annotations

import math
import re

UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
ALLOWED = "a duration such as 10s, 15m, 1h30m or 2d, or a number of seconds"
# A hundred years: longer ones are a slip of the pen, and datetimes end.
LONGEST = 36_500 * UNITS["d"]

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[wdhms])")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def parse_duration(value: object) -> float:
    """Seconds. Each unit at most once, the largest first. Raises ValueError, saying what is allowed."""
    seconds: float | None = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str):
        seconds = _parse(value.strip().lower())
    if seconds is None or not math.isfinite(seconds) or not 0 <= seconds <= LONGEST:
        raise ValueError(f"is {value!r}; allowed: {ALLOWED}")
    return seconds


def _parse(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _WHOLE.fullmatch(text):
        return None
    parts = _PART.findall(text)
    sizes = [UNITS[unit] for _, unit in parts]
    if sizes != sorted(set(sizes), reverse=True):
        return None
    return round(math.fsum(float(number) * UNITS[unit] for number, unit in parts), 6)


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads as `seconds`, to the millisecond; `0s` for none."""
    left = round(seconds * 1000)
    text = ""
    for unit, size in UNITS.items():
        if unit == "w":
            continue  # read, but written as days
        count, left = divmod(left, round(size * 1000))
        if count:
            text += f"{count}{unit}"
    return text or "0s"
