"""Alerts as they are declared, parsed into records and printed back: `parse_alert(id, alert_document(alert)) == alert`.

Printing leaves defaults out. `url` and `secret` may be made of references, which are kept as text: `worker.webhook`
alone reads their values, in the process that sends.
Source: https://www.standardwebhooks.com for the secret that signs.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from worker import references
from worker.alert import SECRETS, Alert, Format
from worker.declaration.fields import Fields, check_id, meant, shown
from worker.duration import format_duration
from worker.errors import BadInput, Fault

ALERT_FIELDS = ("url", "format", "secret", "jobs", "failures", "recovery", "held", "stale", "enabled")
OFF = "off"
MOST_FAILURES = 100
LEAST_STALE = 60.0
LONGEST_URL = 2_000
LONGEST_SECRET = 500
# A key in Base64 behind this; Standard Webhooks wants 24 to 64 bytes. Any other text is a key as it is.
KEY_PREFIX = "whsec_"
KEY_BYTES = (24, 64)
SHORTEST_SECRET = 16

_URL_WORDS = "https://… or http://…, or a reference such as ${NAME}"
_SECRET_WORDS = f"{KEY_PREFIX} with {KEY_BYTES[0]} to {KEY_BYTES[1]} bytes in Base64, or {SHORTEST_SECRET} characters"
_REFERENCE = re.compile(r"\$?\$\{[^}]*\}")
_SCHEME = re.compile(r"(?i)https?://")
_REFERS = "\ue000"  # in place of a reference, while we look at the rest of a URL
_FEW = 20


def parse_alert(id: str, document: object, *, where: str = "", jobs: Collection[str] | None = None) -> Alert:
    """An alert from the shape of the file; `where` is the document's path. Raises BadInput with all faults.

    `jobs` are those that there are; None: those that it names are not checked.
    """
    faults: list[Fault] = []
    alert = read_alert(id, document, where, faults, jobs)
    if faults:
        raise BadInput(faults)
    return alert


def read_alert(id: str, document: object, where: str, faults: list[Fault], jobs: Collection[str] | None) -> Alert:
    """As `parse_alert`, but adds to `faults`; what it returns is of use only where none were added."""
    check_id(id, where, faults)
    fields = Fields(document, where, faults)
    before = len(faults)
    fields.know(*ALERT_FIELDS)
    fields.need("url")
    format = fields.choice("format", Format, Format.JSON)
    alert = Alert(
        id=id,
        url=_hidden(fields, "url") or "",
        format=format,
        secret=_hidden(fields, "secret"),
        jobs=_jobs(fields, jobs),
        failures=_failures(fields),
        recovery=fields.flag("recovery", True),
        held=fields.flag("held", True),
        stale=_stale(fields),
        enabled=fields.flag("enabled", True),
    )
    if alert.secret is not None and format is Format.SLACK:
        fields.fault("secret", f"does not go with format {format}, whose messages are not signed; leave it out")
    if len(faults) == before and alert.failures is None and not alert.held and alert.stale is None:
        nothing = "tells nothing: failures is off, held is false, and there is no stale"
        faults.append(Fault(field=where, message=f"{nothing}; say at least one of them"))
    return alert


def alert_document(alert: Alert, hidden: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The shape of the file, defaults left out. `hidden` gives texts that stand in for url and secret."""
    told = {"url": alert.url, "secret": alert.secret, **(hidden or {})}
    optional = {
        "url": told["url"],
        "format": None if alert.format is Format.JSON else str(alert.format),
        "secret": told["secret"],
        "jobs": None if alert.jobs is None else list(alert.jobs),
        "failures": {None: OFF, 1: None}.get(alert.failures, alert.failures),
        "recovery": None if alert.recovery else False,
        "held": None if alert.held else False,
        "stale": None if alert.stale is None else format_duration(alert.stale),
        "enabled": None if alert.enabled else False,
    }
    return {name: value for name, value in optional.items() if value is not None}


def what_it_tells(alert: Alert) -> str:
    """In a few words, for a list and for a plan."""
    told = []
    if alert.failures is not None:
        told.append("every failure" if alert.failures == 1 else f"{alert.failures} failures in a row")
    if alert.held:
        told.append("held runs")
    if alert.stale is not None:
        told.append(f"no newer data for {format_duration(alert.stale)}")
    if alert.recovery and (alert.failures is not None or alert.stale is not None):
        told.append("recovery")
    return ", ".join(told)


# What is secret of it.


def literal_alert_secrets(alert: Alert) -> list[str]:
    """Which of url and secret hold more than references: those that nobody may print."""
    return sorted(name for name in SECRETS if not printable(name, getattr(alert, name)))


def printable(name: str, text: str | None) -> bool:
    """Whether a url or secret shows nothing but the names of its references, and the server that a URL leads to."""
    if not text or references.whole_file(text) or references.nothing_else(text):
        return True
    rest = _parts(text)[1] if name == "url" and _SCHEME.match(text) else text
    # Of a path nobody can tell which part of it is the secret.
    return not rest.strip("/") or references.nothing_else(rest.replace("/", ""))


def origin_of(url: str) -> str:
    """Scheme, host and port as they are written, references as they are; all of a text that is a reference."""
    return _parts(url)[0] if _SCHEME.match(url) else url


def host_of(url: str) -> str | None:
    """Host and port of a URL, where no reference stands there; None where only the sender's environment knows."""
    host = _SCHEME.sub("", origin_of(url), count=1)
    return None if not host or not _SCHEME.match(url) or "${" in host else host


def signing_key(secret: str) -> bytes:
    """The key that a secret without references stands for. Raises ValueError, without the secret."""
    if not secret.startswith(KEY_PREFIX):
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"is shorter than {SHORTEST_SECRET} characters; allowed: {_SECRET_WORDS}")
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(KEY_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"has no Base64 behind {KEY_PREFIX}; allowed: {_SECRET_WORDS}") from None
    if not KEY_BYTES[0] <= len(key) <= KEY_BYTES[1]:
        raise ValueError(f"has {len(key)} bytes behind {KEY_PREFIX}; allowed: {_SECRET_WORDS}")
    return key


# Its fields.


def _hidden(fields: Fields, name: str) -> str | None:
    """A secret text; a fault never repeats it."""
    value = fields.raw(name)
    if value is None:
        return None
    if not isinstance(value, str):
        what = shown(value) if isinstance(value, (dict, list, tuple, bool)) else "no text"
        fields.fault(name, f"is {what}; allowed: a text (quote it)")
        return None
    found = list(references.references(value))
    wrong = [fault for fault in map(references.fault, found) if fault]
    if not wrong and (fault := _wrong(name, value, referring=bool(found) or references.whole_file(value))):
        wrong = [fault]
    for fault in wrong:
        fields.fault(name, fault)
    return None if wrong else value


def _wrong(name: str, text: str, *, referring: bool) -> str | None:
    """What is wrong with a url or secret; where it refers to something, as much as can be told without that."""
    longest = LONGEST_URL if name == "url" else LONGEST_SECRET
    if not text or len(text) > longest or re.search(r"[\x00-\x1f\x7f]", text):
        return f"is empty, longer than {longest} characters, or has control characters"
    if name == "url":
        return _wrong_url(text, referring=referring)
    try:
        if not referring:
            signing_key(text)
    except ValueError as error:
        return str(error)
    return None


def _wrong_url(url: str, *, referring: bool) -> str | None:
    outline = _REFERENCE.sub(_REFERS, url)
    if referring and (outline.startswith(_REFERS) or references.whole_file(url)):
        return None
    if not _SCHEME.match(outline):
        return f"is no address of a web server; allowed: {_URL_WORDS}"
    if " " in outline:
        return f"has a blank; allowed: {_URL_WORDS}"
    origin = _parts(url)[0]
    if "@" in origin:
        return "has a user or password before its host, which is not sent; a secret belongs into the path or query"
    if referring and "${" in origin:
        return None
    try:
        parts = urlsplit(origin)
        good = bool(parts.hostname) and parts.port != 0  # `port` raises where it is none
    except ValueError:
        good = False
    return None if good else f"has no host, or a port that is none; allowed: {_URL_WORDS}"


def _parts(url: str) -> tuple[str, str]:
    """Scheme, host and port of a URL, and the rest; a slash within a reference is none of the URL's."""
    outline = _REFERENCE.sub(lambda one: _REFERS * len(one[0]), url)
    scheme = _SCHEME.match(outline)
    start = scheme.end() if scheme else 0
    end = next((i for i in range(start, len(outline)) if outline[i] in "/?#\\"), len(outline))
    return url[:end], url[end:]


def _jobs(fields: Fields, known: Collection[str] | None) -> tuple[str, ...] | None:
    names = fields.names("jobs")
    if names == ():
        fields.fault("jobs", "is empty; name at least one job, or leave it out for all of them")
    for position, name in enumerate(names or ()):
        if known is not None and name not in known:
            fields.fault(f"jobs[{position}]", f"is {name!r}, which is no job; {_near(name, known)}")
    return names


def _near(name: str, known: Collection[str]) -> str:
    """The name that was meant, or all of them where they are few."""
    hint = meant(name, known)
    return hint if len(known) <= _FEW or hint.startswith("did") else f"there are {len(known)} others"


def _failures(fields: Fields) -> int | None:
    value = fields.raw("failures")
    if value is False or value == OFF:
        return None
    if value is None:
        return 1
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_FAILURES:
        fields.fault("failures", f"is {shown(value)}; allowed: a whole number from 1 to {MOST_FAILURES}, or off")
        return 1
    return value


def _stale(fields: Fields) -> float | None:
    seconds = fields.duration("stale")
    if seconds is not None and seconds < LEAST_STALE:
        fields.fault("stale", f"is {shown(fields.raw('stale'))}; allowed: 1m or more; leave it out for never")
        return None
    return seconds
