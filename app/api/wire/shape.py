"""What every answer is: printed, never checked; and the one shape of an error (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Wire(BaseModel):
    """An answer: what is stored besides does not go out."""

    model_config = ConfigDict(extra="ignore", ser_json_bytes="base64")


def document(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored document as it goes out: `_id` is `id`."""
    return {"id" if name == "_id" else name: value for name, value in stored.items()}


class Fault(Wire):
    field: str
    message: str


class Problem(Wire):
    """RFC 9457. `current` is the document as it stands, where a revision was stale; `request_id` is in the log too."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[Fault] = Field([])
    current: dict[str, Any] | None = None
    request_id: str | None = None
