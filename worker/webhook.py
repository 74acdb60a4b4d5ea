"""One message over HTTP: made, signed as Standard Webhooks say, sent; and what came of it, in words without secrets.

A message counts as delivered by any answer of 2xx to its own POST. It tries once and keeps nothing; `worker.messenger`
does both. Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md;
docs/decisions/0031-alerts.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from worker import __version__, alert_words, clock, redaction, references, url_secrets
from worker.alert import Alert, Format
from worker.alert_words import Links
from worker.declaration.alerts import signing_key
from worker.errors import BadInput, Fault, Permanent, SyncworkerError
from worker.networks import Networks

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 5.0
MOST_SECONDS = 10.0
MOST_BYTES = 65_536
MOST_MESSAGE = 300
LONGEST_WAIT = 3_600.0
# A part of a URL's path that is this long is taken for a secret, as those of chats are.
SECRET_PART = 16
_ERRNO = re.compile(r"\[Errno -?\d+\] ")


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of a message; `status` None: nobody answered. `retry_after`: seconds that the receiver asks for."""

    ok: bool
    status: int | None
    ms: int
    message: str
    retry_after: float | None = None


def resolve(alert: Alert, env: Mapping[str, str]) -> Alert:
    """The alert with its references replaced from `env`. Raises BadInput naming each that has no value, or Permanent.

    What is secret in it is registered with the log's redactor on the way.
    """
    if alert.unreadable:
        raise Permanent(
            f"{', '.join(alert.unreadable)} of alert {alert.id} was sealed under another SECRET_KEY; "
            "add the old key behind the new one, comma-separated, or enter the secret again"
        )
    faults: list[Fault] = []

    def missing(name: str, message: str) -> None:
        faults.append(Fault(field=f"alerts.{alert.id}.{name}", message=message))

    url = references.fill(alert.url, env, partial(missing, "url"), secret=True).strip()
    secret = alert.secret and references.fill(alert.secret, env, partial(missing, "secret"), secret=True)
    if faults:
        raise BadInput(faults)
    _register(url, secret)
    return replace(alert, url=url, secret=secret)


def message(alert: Alert, events: Sequence[Mapping[str, Any]], links: Links, now: datetime) -> bytes:
    """The body that tells of `events`; of none: a test."""
    if not events:
        words = [f"This is a test of the alert {alert.id}: what it tells arrives here."]
    elif alert.format is Format.SLACK:
        words = [alert_words.chat(event, links) for event in events]
    else:
        words = [str(event.get("text") or "") for event in events]
    text = alert_words.summary(words)
    if alert.format is Format.SLACK:
        return _json({"text": text})
    told = [alert_words.told(event, links) for event in events]
    data = {"alert": alert.id, "text": text, "events": told}
    return _json({"type": "alert" if events else "test", "timestamp": now, "data": data})


def signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`. Raises BadInput where the secret is no key."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode("ascii")


def send(alert: Alert, webhook_id: str, body: bytes, networks: Networks) -> Tried:
    """POST `body` to a resolved alert, once. Never raises: whatever goes wrong is what came of it."""
    started = clock.monotonic()
    try:
        headers = {
            "content-type": "application/json",
            "user-agent": f"syncworker/{__version__}",
            "webhook-id": webhook_id,
            "webhook-timestamp": (timestamp := str(int(clock.wall().timestamp()))),
        }
        if alert.secret is not None:
            headers["webhook-signature"] = signature(alert.secret, webhook_id, int(timestamp), body)
        tried = _post(alert.url, headers, body, networks)
    except Exception as error:  # whatever it is: the message did not arrive, as far as anybody knows
        tried = Tried(ok=False, status=None, ms=0, message=_in_words(error, _host(alert.url)))
    return replace(tried, ms=round((clock.monotonic() - started) * 1000))


def _post(url: str, headers: Mapping[str, str], body: bytes, networks: Networks) -> Tried:
    import httpx

    from worker import egress

    trusted = _authorities()
    with egress.client(networks, most_bytes=MOST_BYTES, most_seconds=MOST_SECONDS, verify=trusted) as client:
        timeout = httpx.Timeout(MOST_SECONDS, connect=CONNECT_SECONDS)
        request = client.build_request("POST", url, content=body, headers=dict(headers), timeout=timeout)
        response = client.send(request, stream=True)
        try:
            return _judged(response, _host(url))
        finally:
            response.close()


@cache
def _authorities() -> ssl.SSLContext:
    """Whom httpx trusts; to read all of them for each message would take longer than the message."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _judged(response: httpx.Response, host: str) -> Tried:
    status = response.status_code
    answer = f"{host} answered {status} {_phrase(status)}".rstrip()
    if response.request.method != "POST":  # as HTTP has it for 301, 302 and 303: what was to be told is gone by then
        answer = f"{host} redirects, and the message is lost on the way; give the URL that it leads to"
    elif response.is_success:
        return Tried(ok=True, status=status, ms=0, message=answer)
    elif reason := _reason(response):
        answer = f"{answer}: {reason}"
    return Tried(ok=False, status=status, ms=0, message=_clean(answer), retry_after=_retry_after(response))


def _reason(response: httpx.Response) -> str:
    """The receiver's own words, where it has a few plain ones: Slack says `invalid_token`."""
    if not response.headers.get("content-type", "").startswith("text/plain"):
        return ""
    try:
        response.read()
    except Exception:  # too long, too slow, broken off: the status says enough
        return ""
    return alert_words.one_line(response.text, 100)


def _retry_after(response: httpx.Response) -> float | None:
    """`Retry-After`, in seconds or as a date, an hour at most; None where there is none that means anything."""
    text = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(int(text)) if text.isdecimal() else (_date(text) - clock.wall()).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(seconds, LONGEST_WAIT) if seconds > 0 else None


def _date(text: str) -> datetime:
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_words(error: Exception, host: str) -> str:
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return f"{host} cannot be reached: no connection within {CONNECT_SECONDS:g} s"
    if isinstance(error, httpx.TimeoutException):
        return f"{host} did not answer within {MOST_SECONDS:g} s"
    if isinstance(error, httpx.ConnectError):
        return _clean(f"{host} cannot be reached: {error}")
    if isinstance(error, httpx.HTTPError):
        return _clean(f"{host} broke off: {error}")
    if isinstance(error, httpx.InvalidURL):
        return "the URL of the alert is none"
    if isinstance(error, SyncworkerError):
        text = str(error)
        return _clean(text if host in text or isinstance(error, BadInput) else f"{host}: {text}")
    return _clean(f"the message could not be sent: {type(error).__name__}: {error}")


def _host(url: str) -> str:
    """All of a URL that may be shown."""
    try:
        return urlsplit(url).hostname or "the URL"
    except ValueError:
        return "the URL"


def _clean(text: str) -> str:
    """On one line, not too long, and without the numbers that systems give their errors."""
    return alert_words.one_line(_ERRNO.sub("", text), MOST_MESSAGE)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _key(secret: str) -> bytes:
    try:
        return signing_key(secret)
    except ValueError as error:
        raise BadInput([Fault(field="secret", message=str(error))]) from None


def _register(url: str, secret: str | None) -> None:
    """Of a URL the whole, its passwords, and the long parts of its path: chats are entered by those."""
    parts = [part for part in urlsplit(url).path.split("/") if len(part) >= SECRET_PART] if _splits(url) else []
    for value in (url, *url_secrets.secrets(url), *parts, *([secret] if secret else [])):
        redaction.register_secret(value)


def _splits(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


def _json(value: object) -> bytes:
    def moment(other: object) -> str:
        if isinstance(other, datetime):
            return clock.iso(other)
        return str(other)

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=moment).encode(errors="replace")
