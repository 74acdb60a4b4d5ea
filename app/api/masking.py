"""Secrets on their way out and back in: asterisks outwards, and asterisks that come back mean "as it was".

A reference like `${NAME}` is no secret and is shown. A stored secret goes with its address: it is never taken along to
another one. It seals nothing: `worker.vault` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from worker import references, url_secrets
from worker.errors import BadInput, Fault
from worker.redaction import MASK

__all__ = ["MASK", "kept", "masked"]

# Scheme, user and hosts of a URL; its path; the rest.
_PARTS = re.compile(r"([^/?#]*//[^/?#]*)(/[\w.~%-]*)?(.*)", re.DOTALL)
# Settings that say where to: a secret of the same connection does not follow when they change.
_ADDRESS = re.compile(r"(^|_)(host|hostname|port|server|address|endpoint|account|user|username|login)$", re.IGNORECASE)


def masked(settings: Mapping[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    """`settings` as they may be shown."""
    return {name: _masked(value) if name in secret else value for name, value in settings.items()}


def kept(given: Mapping[str, Any], stored: Mapping[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    """`given` with the stored secrets where they were left out or sent back masked; null removes one.

    Raises BadInput where a stored secret would go to another address than the one that it was entered for.
    """
    result = {name: value for name, value in given.items() if value is not None}
    faults = []
    taken = set()
    for name in sorted(secret):
        before = stored.get(name)
        if name not in given:
            if before is not None:
                result[name] = before
                taken.add(name)
        elif before is not None and given[name] == _masked(before):
            result[name] = before
            taken.add(name)
        elif isinstance(given[name], str) and MASK in given[name]:
            filled = _filled(given[name], before)
            if filled is None:
                message = (
                    "has asterisks for a secret, which stays only where user, host, port and parameters do; "
                    "enter the secret too"
                )
                faults.append(Fault(field=name, message=message))
            else:
                result[name] = filled
    moved = [name for name in stored if _address(result.get(name), name) != _address(stored[name], name)]
    for name in sorted(taken):
        others = [other for other in moved if other != name]
        if others and not _shown(stored[name]):
            faults.append(Fault(field=name, message=f"does not follow to another {others[0]}; enter it again"))
    if faults:
        raise BadInput(faults)
    return result


def _filled(given: str, before: Any) -> str | None:
    """The stored URL with another path (a database, say), where nothing else is asked for; else None."""
    if not isinstance(before, str) or not url_secrets.is_url(before):
        return None
    old, new = _PARTS.fullmatch(_masked(before)), _PARTS.fullmatch(given)
    if old is None or new is None or (old[1], old[3]) != (new[1], new[3]):
        return None
    pieces = given.split(MASK)
    secrets = [part for part in url_secrets.secrets(before) if not references.nothing_else(part)]
    if len(pieces) != len(secrets) + 1:
        return None
    return pieces[0] + "".join(part + piece for part, piece in zip(secrets, pieces[1:], strict=True))


def _address(value: Any, name: str) -> Any:
    """What of a setting says where its connection leads to; None where it does not."""
    if isinstance(value, str) and url_secrets.is_url(value):
        parts = _PARTS.fullmatch(_masked(value))
        return parts[1] if parts else value
    return value if _ADDRESS.search(name) else None


def _shown(value: Any) -> bool:
    """Whether a secret setting is a reference and nothing else."""
    return isinstance(value, str) and (references.whole_file(value) or references.nothing_else(value))


def _masked(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str):
        return MASK
    if _shown(value):
        return value
    if not url_secrets.is_url(value):
        return MASK
    text = value
    for start, end in reversed(list(url_secrets.spans(value))):
        if not references.nothing_else(value[start:end]):
            text = text[:start] + MASK + text[end:]
    return text
