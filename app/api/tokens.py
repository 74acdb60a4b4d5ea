"""Tokens of programs: made, listed, revoked. The token itself is told once and is nowhere to be read again."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from app.api.operation import Answer, Ask
from app.api.questions import TokenDraft
from app.api.wire import NewToken, Token, TokenList, document
from worker.duration import parse_duration
from worker.errors import BadInput, Fault

LONGEST = 3660 * 86_400.0


def list_(ask: Ask[Any, None]) -> TokenList:
    """All tokens, newest first, those that were revoked in the last 30 days too; never the tokens themselves."""
    return TokenList(items=[shape(one) for one in ask.context.store.tokens.list()], next=None)


def create(ask: Ask[Any, TokenDraft]) -> Answer:
    """Make a token; this answer is the only one that has it."""
    draft = ask.body
    seconds = lifetime(draft.expires_in)
    stored, token = ask.context.store.tokens.create(draft.name, draft.scope, seconds, ask.who.name)
    told = shape(stored | {"live": True})
    ask.note(after=told.model_dump(mode="json"), subject=f"tokens/{told.id}")
    headers = {"Location": f"/api/tokens/{told.id}"}
    return Answer(shape=NewToken(**told.model_dump(), token=token), status=201, headers=headers)


def revoke(ask: Ask[Any, Any]) -> Response:
    """End a token at once. It has no revision, so If-Match is not asked for; again changes nothing."""
    revoked = ask.context.store.tokens.revoke(ask.path["id"])
    ask.note(before={"name": revoked["name"], "scope": revoked["scope"], "prefix": revoked["prefix"]})
    return Response(status_code=204)


def lifetime(given: str | float | None) -> float | None:
    """Seconds of a duration like `30d`; None stays None. Raises BadInput."""
    if given is None:
        return None
    try:
        seconds = parse_duration(given)
    except (ValueError, BadInput) as error:
        raise BadInput([Fault(field="expires_in", message=str(error))]) from None
    if not 1 <= seconds <= LONGEST:
        raise BadInput([Fault(field="expires_in", message=f"is {given!r}; allowed: 1s to 3660d")])
    return seconds


def shape(stored: dict[str, Any]) -> Token:
    return Token.model_validate(document(stored))
