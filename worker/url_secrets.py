"""Where in a URL the secrets stand: its password, and the values of parameters that are named like secrets.

It takes a URL as a person types it, with characters in the password that should have been escaped, and rather finds
too much than too little. It opens nothing and checks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PARAMETER = re.compile(r"[?&]([^=&#]+)=([^&#]*)")
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|credential|authmechanismproperties", re.IGNORECASE)


def is_url(text: str) -> bool:
    return _SCHEME.match(text) is not None


def spans(url: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each secret, in order. Nothing for a text that is no URL."""
    scheme = _SCHEME.match(url)
    if scheme is None:
        return
    # The last @ ends the password, whatever unescaped characters it has.
    at = url.rfind("@")
    colon = url.find(":", scheme.end(), at) if at > 0 else -1
    if colon >= 0:
        yield colon + 1, at
    for parameter in _PARAMETER.finditer(url, max(at, 0)):
        if _SECRET_NAME.search(unquote(parameter[1])):
            yield parameter.span(2)


def secrets(url: str) -> list[str]:
    """The secrets themselves, as they are written there."""
    return [url[start:end] for start, end in spans(url)]
