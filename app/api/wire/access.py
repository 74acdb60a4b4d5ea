"""Who is asking."""

from __future__ import annotations

from app.api.wire.shape import Wire


class Session(Wire):
    who: str
