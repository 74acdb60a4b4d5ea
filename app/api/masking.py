"""Secrets on their way out and back in: asterisks outwards, and asterisks that come back mean "as it was".

A reference like `${NAME}` is no secret and is shown. It seals nothing: `worker.vault` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from worker.errors import BadInput, Fault

MASK = "********"

_REFERENCE = re.compile(r"\$\{\w+\}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|credential|authmechanismproperties", re.IGNORECASE)


def masked(settings: Mapping[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    """`settings` as they may be shown."""
    return {name: _masked(value) if name in secret else value for name, value in settings.items()}


def kept(given: Mapping[str, Any], stored: Mapping[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    """`given` with the stored secrets where they were left out or sent back masked; null removes one.

    Raises BadInput for a mask that was changed: a stored password never follows to another host.
    """
    result = {name: value for name, value in given.items() if value is not None}
    faults = []
    for name in sorted(secret):
        before = stored.get(name)
        if name not in given:
            if before is not None:
                result[name] = before
        elif before is not None and given[name] == _masked(before):
            result[name] = before
        elif isinstance(given[name], str) and MASK in given[name]:
            faults.append(Fault(field=name, message="has asterisks for a secret and was changed; enter the secret too"))
    if faults:
        raise BadInput(faults)
    return result


def _masked(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str):
        return MASK
    if _REFERENCE.fullmatch(value):
        return value
    if not _SCHEME.match(value):
        return MASK
    text = value
    for start, end in reversed(list(_spans(value))):
        if not _REFERENCE.fullmatch(value[start:end]):
            text = text[:start] + MASK + text[end:]
    return text


def _spans(url: str) -> Iterator[tuple[int, int]]:
    """Where in a URL the password stands, and the values of parameters that are named like secrets."""
    scheme = _SCHEME.match(url)
    if scheme is None:
        return
    # The last @ ends the password, whatever unescaped characters it has.
    at = url.rfind("@")
    colon = url.find(":", scheme.end(), at) if at > 0 else -1
    if colon >= 0:
        yield colon + 1, at
    for parameter in re.finditer(r"[?&]([^=&#]+)=([^&#]*)", url[max(at, 0) :]):
        if _SECRET_NAME.search(unquote(parameter[1])):
            start, end = parameter.span(2)
            yield start + max(at, 0), end + max(at, 0)
