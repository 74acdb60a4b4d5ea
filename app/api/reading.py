"""Read a request's body and query: what they may be at most, and a fault for every field that is not known.

It knows shapes only; what their content means is the handlers' business.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request

from app.api.problems import Refused, faults_of
from app.api.questions import Draft, Question
from worker.errors import BadInput, Fault

MOST_BYTES = 1_048_576
MOST_DEPTH = 32
# What the database can hold.
LEAST_INTEGER, MOST_INTEGER = -(2**63), 2**63 - 1
JSON_TYPES = ("application/json", "application/merge-patch+json")

Q = TypeVar("Q", bound=Question)


async def read_json(request: Request) -> Any:
    """The body as JSON; None where it is empty. Raises Refused 400, 413, 415, BadInput."""
    raw = await _read_bytes(request)
    if not raw:
        return None
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise Refused(415, f"The body is {media_type or 'of no declared type'}; send application/json.")
    try:
        body = json.loads(raw.decode(), parse_constant=_no_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Refused(400, f"The body is not JSON: {error}") from None
    if body is None:
        raise BadInput([Fault(field="", message="is null; allowed: an object")])
    _check(body)
    return body


def question(shape: type[Q], body: Any) -> Q:
    """`body` as `shape`; a missing body is an empty one. Raises BadInput."""
    try:
        # Strict, as JSON: 0 is no boolean there, and "3" no number.
        return shape.model_validate_json(json.dumps({} if body is None else mapping(body)), strict=True)
    except ValidationError as error:
        raise BadInput(faults_of(error)) from None


def draft(shape: type[Draft], body: Any) -> dict[str, Any]:
    """`body` as it is: a mapping, which `worker.declaration` checks. Raises BadInput."""
    if body is None:
        raise Refused(400, f"The request has no body; send a {shape.__name__} as JSON.")
    return mapping(body)


def query(shape: type[Q], given: QueryParams) -> Q:
    """The query as `shape`; an empty parameter counts as left out. Raises BadInput naming unknown and repeated ones."""
    lists: frozenset[str] = getattr(shape, "lists", frozenset())
    values: dict[str, Any] = {}
    faults = []
    for name in dict.fromkeys(given.keys()):
        texts = [text for text in given.getlist(name) if text]
        if name in lists:
            texts = [part.strip() for text in texts for part in text.split(",") if part.strip()]
        elif len(texts) > 1:
            faults.append(Fault(field=name, message="is given more than once"))
        if texts or name not in shape.model_fields:
            values[name] = texts if name in lists else "".join(texts[:1])
    try:
        found = shape.model_validate(values)
    except ValidationError as error:
        faults += faults_of(error)
    if faults:
        raise BadInput(faults)
    return found


def mapping(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadInput([Fault(field="", message=f"is {_name(body)}; allowed: an object")])
    return body


async def _read_bytes(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MOST_BYTES:
        raise _too_large()
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise _too_large()
    return bytes(raw)


def _check(body: Any) -> None:
    """Refuse what would only fail later, in the database: depth, integers beyond 64 bits, broken text."""
    waiting: list[tuple[Any, int]] = [(body, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict | list):
            if depth > MOST_DEPTH:
                raise _too_deep()
            waiting += [(item, depth + 1) for item in (value.values() if isinstance(value, dict) else value)]
            if isinstance(value, dict):
                waiting += [(name, depth) for name in value]
        elif isinstance(value, str):
            if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
                raise Refused(400, "The body has a text with half a surrogate pair or a NUL in it.")
        elif isinstance(value, int) and not LEAST_INTEGER <= value <= MOST_INTEGER:
            raise Refused(400, "The body has an integer beyond 64 bits.")
        elif isinstance(value, float) and value - value != 0:
            raise Refused(400, "The body has a number beyond what a double holds.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _too_large() -> Refused:
    return Refused(413, f"The body is larger than {MOST_BYTES} bytes.")


def _too_deep() -> Refused:
    return Refused(400, f"The body is nested deeper than {MOST_DEPTH} levels.")


def _name(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number", type(None): "null"}
    return names.get(type(value), type(value).__name__)
