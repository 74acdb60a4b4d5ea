"""A time on the wire: ISO 8601, in UTC with `Z` on the way out, with or without a zone on the way in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, TypeAdapter, ValidationError

from worker.clock import iso

_TIME = TypeAdapter(datetime)


def _read(value: Any) -> Any:
    """A text as a time. A number is none: seconds or milliseconds, and since when?"""
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and re.match(r"\d{4}-", value):
            return _TIME.validate_python(value)
    except ValidationError:
        pass
    raise ValueError("is no time; allowed: ISO 8601, such as 2026-01-31T12:00:00Z")


def _utc(moment: datetime) -> datetime:
    """In UTC; without a zone it was UTC."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is beyond the years 1 to 9999") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_read),
    AfterValidator(_utc),
    PlainSerializer(iso, return_type=str, when_used="json"),
]
