"""Secrets that must not get out: known while the process lives, and struck from every text that leaves it.

A secret is found as it is and in the spellings in which programs repeat it: percent-encoded, escaped for JSON or
Python, in Base64 at any offset. It encrypts nothing, and it does not know a secret before somebody registers it: what
opens a connection does so before it connects. Base64: RFC 4648; userinfo of a URL: RFC 3986, section 3.2.1.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from worker import url_secrets

MASK = "********"
# What the program itself is opened with: no connection may refer to these, and no child that needs none gets them.
OWN_SECRETS = ("SECRET_KEY", "AUTH_TOKEN", "ADMIN_PASSWORD", "MONGO_URL")
# Shorter ones would blot out plain words; where they stand in a URL or behind `password=` they are struck all the same.
SHORTEST = 4
# A piece of Base64 that is shorter may be anything.
SHORTEST_PIECE = 6

# What is a secret by its place alone, registered or not.
_IN_PLACE = (
    (re.compile(r"(?<=://)([^/\s:@]*):([^/\s@]+)@"), rf"\1:{MASK}@"),
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer)\s+)[^\s\"',;]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)((?:pass(?:word|wd)?|pwd|secret|(?:access|auth)_token|api_?key)=)[^\s\"'&,;)]+"), rf"\1{MASK}"),
)

_known: set[str] = set()
_spellings: tuple[str, ...] = ()
_lock = threading.Lock()


def register_secret(value: str) -> None:
    """Never let `value` out again, in whatever spelling; see SHORTEST."""
    global _spellings
    if len(value) < SHORTEST or value in _known:
        return
    with _lock:
        _known.add(value)
        _spellings = tuple(sorted({*_spellings, *_spelled(value)}, key=len, reverse=True))


def register_setting(value: str) -> None:
    """Register what is secret in a setting: of a URL the password and the like, or its host would be struck too."""
    for part in url_secrets.secrets(value) if url_secrets.is_url(value) else [value]:
        register_secret(part)
        register_secret(unquote(part))


def register_own(env: Mapping[str, str]) -> None:
    """Register the program's own secrets; before anything else is done with them."""
    for name in OWN_SECRETS:
        for value in env.get(name, "").split(",") if name == "SECRET_KEY" else [env.get(name, "")]:
            register_setting(value.strip())


def redact(text: str) -> str:
    """`text` with registered secrets, the password of any URL and the like replaced by asterisks."""
    for spelling in _spellings:
        if spelling in text:
            text = text.replace(spelling, MASK)
    for pattern, instead in _IN_PLACE:
        text = pattern.sub(instead, text)
    return text


def shortened(text: str, most: int) -> str:
    """The first `most` characters, redacted before the cut: half a secret would not be known for one."""
    return redact(text)[:most]


def redacted(value: Any) -> Any:
    """A document with all its texts redacted, its names left as they are."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: redacted(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]
    return value


def _spelled(secret: str) -> Iterator[str]:
    data = secret.encode(errors="surrogatepass")
    for safe in ("", "/", "/:"):
        percent = quote(data, safe=safe)
        yield from (percent, re.sub(r"%..", lambda one: one[0].lower(), percent))
    yield quote_plus(data)
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])
    yield repr(secret)[1:-1]
    yield html.escape(secret)
    yield secret
    for offset in range(3):
        yield from _pieces(data, offset)


def _pieces(data: bytes, offset: int) -> Iterator[str]:
    """What of the Base64 of `…data…` depends on `data` alone, where it begins at `offset` within three bytes."""
    encoded = base64.b64encode(bytes(offset) + data).decode().rstrip("=")
    first = (offset * 8 + 5) // 6
    last = (offset + len(data)) * 8 // 6
    piece = encoded[first:last]
    if len(piece) >= SHORTEST_PIECE:
        yield from {piece, piece.replace("+", "-").replace("/", "_")}
