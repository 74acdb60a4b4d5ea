"""A time on the wire: ISO 8601, in UTC with `Z` on the way out, with or without a zone on the way in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from worker.clock import iso


def _no_number(value: Any) -> Any:
    """A number is no time: seconds or milliseconds, and since when?"""
    if isinstance(value, int | float) or (isinstance(value, str) and not re.match(r"\d{4}-", value)):
        raise ValueError("is no time; allowed: ISO 8601, such as 2026-01-31T12:00:00Z")
    return value


def _utc(moment: datetime) -> datetime:
    """In UTC; without a zone it was UTC."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is beyond the years 1 to 9999") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_no_number),
    AfterValidator(_utc),
    PlainSerializer(iso, return_type=str, when_used="json"),
]
