"""Who is asking, the tokens of programs, and the record of what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from app.api.wire.shape import Wire
from worker.access import How, Scope


class Session(Wire):
    """`how` is `anyone` where no credentials are set: then everybody may all."""

    who: str
    scope: Scope
    how: How


class Token(Wire):
    """`prefix` is how it begins, to know it by; the token itself is told once, when it is made."""

    id: str
    name: str
    scope: Scope
    prefix: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    live: bool


class NewToken(Token):
    """`token` is the credential. It is told here and never again."""

    token: str


class TokenList(Wire):
    items: list[Token]
    next: str | None


class AuditRecord(Wire):
    """`before` and `after` have the fields that differ; null where there was, or is, nothing to show."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    at: datetime
    who: str
    how: How
    scope: Scope
    token: str | None
    action: str
    subject: str
    from_: str | None = Field(alias="from")
    via: str
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditPage(Wire):
    items: list[AuditRecord]
    next: str | None
