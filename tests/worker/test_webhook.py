"""One message over HTTP: its shape, its signature, and every way in which a receiver does not take it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.receiver import Receiver, answering, receiving, verified
from worker import __version__, redaction, webhook
from worker.alert import Alert, Format, Kind
from worker.alert_words import MOST_TEXT, Links
from worker.errors import BadInput, Permanent
from worker.networks import Networks, parsed
from worker.store.alert_events import new_event

LOOPBACK = Networks(allowed=parsed("127.0.0.0/8"))
NOW = datetime(2026, 11, 25, 2, 10, tzinfo=UTC)
LINKS = Links(base="https://sync.example.com/sub")
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# The specification's own example of a signed message.
VECTOR = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def alert(url: str = "http://127.0.0.1/", **more: Any) -> Alert:
    return Alert(id="chat", url=url, **more)


def failing(job: str = "orders", text: str = "orders failed: no such table") -> dict[str, Any]:
    error = {"type": "StreamNotFound", "message": "no such table", "stream": "orders"}
    more = {"run_id": "r1", "failures": 3, "since": NOW - timedelta(hours=1), "error": error, "text": text}
    return new_event("chat", job, Kind.FAILING, "r0", at=NOW, **more)


def send(receiver: Receiver, one: Alert | None = None, networks: Networks = LOOPBACK) -> webhook.Tried:
    one = one or alert(receiver.url)
    return webhook.send(one, "msg_1", webhook.message(one, [failing()], LINKS, NOW), networks)


def test_the_signature_is_that_of_the_specifications_example() -> None:
    assert webhook.signature(KEY, *VECTOR) == SIGNED


@pytest.mark.parametrize("secret", [KEY, "any text of sixteen", "schön, aber geheim"])
def test_a_message_arrives_signed_and_says_all_that_it_tells(receiver: Receiver, secret: str) -> None:
    tried = send(receiver, alert(receiver.url, secret=secret))
    assert (tried.ok, tried.status, tried.message) == (True, 200, "127.0.0.1 answered 200 OK")
    (message,) = receiver.got
    assert verified(message, secret) and not verified(message, "another text")
    assert (message.method, message.path, message.id) == ("POST", "/in", "msg_1")
    assert message.headers["content-type"] == "application/json"
    assert message.headers["user-agent"] == f"syncworker/{__version__}"
    assert abs(int(message.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 300
    assert message.json == {
        "type": "alert",
        "timestamp": "2026-11-25T02:10:00Z",
        "data": {
            "alert": "chat",
            "text": "orders failed: no such table",
            "events": [
                {
                    "kind": "failing",
                    "text": "orders failed: no such table",
                    "job": "orders",
                    "job_link": "https://sync.example.com/sub/jobs/orders",
                    "run": "r1",
                    "run_link": "https://sync.example.com/sub/runs/r1",
                    "failures": 3,
                    "since": "2026-11-25T01:10:00Z",
                    "at": "2026-11-25T02:10:00Z",
                    "error": {"type": "StreamNotFound", "message": "no such table", "stream": "orders"},
                }
            ],
        },
    }


def test_without_a_secret_nothing_is_signed_and_without_a_base_nothing_is_linked(receiver: Receiver) -> None:
    one = alert(receiver.url)
    webhook.send(one, "msg_1", webhook.message(one, [failing()], Links(base=None), NOW), LOOPBACK)
    (message,) = receiver.got
    assert "webhook-signature" not in message.headers
    (event,) = message.json["data"]["events"]
    assert (event["job_link"], event["run_link"]) == (None, None)


def test_a_chat_gets_text_whose_data_commands_nothing() -> None:
    event = failing(text="orders failed: <!channel> & <https://evil|click>")
    body = json.loads(webhook.message(alert(format=Format.SLACK), [event], LINKS, NOW))
    assert body == {
        "text": "orders failed: &lt;!channel&gt; &amp; &lt;https://evil|click&gt; "
        "<https://sync.example.com/sub/runs/r1|run>"
    }


def test_a_storm_fits_into_what_a_chat_takes_and_says_how_much_it_leaves_out() -> None:
    events = [failing(f"job-{number}", f"job-{number} failed: {'x' * 200}") for number in range(100)]
    for form in Format:
        body = json.loads(webhook.message(alert(format=form), events, LINKS, NOW))
        text = body["text"] if form is Format.SLACK else body["data"]["text"]
        shown = text.count("failed")
        assert text.endswith(f"… and {100 - shown} more") and 0 < shown < 100
        assert len(text) < MOST_TEXT + 100
        assert form is Format.SLACK or len(body["data"]["events"]) == 100


def test_a_test_is_told_from_an_alert() -> None:
    body = json.loads(webhook.message(alert(), [], LINKS, NOW))
    assert (body["type"], body["data"]["events"]) == ("test", [])
    assert json.loads(webhook.message(alert(format=Format.SLACK), [], LINKS, NOW)).keys() == {"text"}


@pytest.mark.parametrize(
    ("status", "body", "type_", "said"),
    [
        (500, b"<html>", "text/html", "127.0.0.1 answered 500 Internal Server Error"),
        (410, b"", "text/plain", "127.0.0.1 answered 410 Gone"),
        (403, b"invalid_token\r\n\x1b[31m", "text/plain", "127.0.0.1 answered 403 Forbidden: invalid_token [31m"),
        (404, b"x" * 100_000, "text/plain", "127.0.0.1 answered 404 Not Found"),
        (299, b"", "text/plain", None),
        (204, b"", "text/plain", None),
        (304, b"", "text/plain", "127.0.0.1 answered 304 Not Modified"),
    ],
)
def test_an_answer_is_judged_by_its_status(
    receiver: Receiver, status: int, body: bytes, type_: str, said: str | None
) -> None:
    receiver.answer = answering(status, body, Content_Type=type_)
    tried = send(receiver)
    assert (tried.ok, tried.status) == (said is None, status)
    assert said is None or tried.message == said


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("0", None), ("86400", 3_600), ("soon", None), ("-5", None), ("9" * 400, None)],
)
def test_a_receiver_that_asks_for_time_gets_an_hour_at_most(
    receiver: Receiver, header: str, seconds: float | None
) -> None:
    receiver.answer = answering(429, Retry_After=header)
    assert send(receiver).retry_after == seconds


def test_time_may_be_asked_for_as_a_date(receiver: Receiver) -> None:
    receiver.answer = answering(503, Retry_After=format_datetime(datetime.now(UTC) + timedelta(minutes=10)))
    asked = send(receiver).retry_after
    assert asked is not None and 500 < asked <= 600


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_lose_the_message_is_no_success(receiver: Receiver, status: int) -> None:
    receiver.answers["/in"] = answering(status, Location="/elsewhere")
    tried = send(receiver)
    assert not tried.ok and "the message is lost on the way" in tried.message


def test_a_redirect_that_keeps_the_message_is_followed_on_the_same_host_alone(receiver: Receiver) -> None:
    receiver.answers["/in"] = answering(307, Location="/moved")
    assert send(receiver, alert(receiver.url, secret=KEY)).ok
    assert verified(receiver.got[-1], KEY) and receiver.got[-1].path == "/moved"
    receiver.answers["/in"] = answering(307, Location=f"http://localhost:{receiver.port}/moved")
    before = len(receiver.got)
    tried = send(receiver, alert(receiver.url, secret=KEY))
    assert not tried.ok and "redirects a POST to localhost" in tried.message
    assert len(receiver.got) == before + 1


def test_a_receiver_that_hangs_costs_seconds(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "MOST_SECONDS", 0.3)
    receiver.answer = receiver.hanging
    tried = send(receiver)
    assert (tried.ok, tried.status) == (False, None)
    assert tried.message == "127.0.0.1 did not answer within 0.3 s"


def test_one_that_is_not_there_is_told(free_port: int) -> None:
    tried = webhook.send(alert(f"http://127.0.0.1:{free_port}/in"), "msg_1", b"{}", LOOPBACK)
    assert not tried.ok and tried.message == "127.0.0.1 cannot be reached: Connection refused"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://169.254.169.254/latest/", "169.254.169.254 is an address of cloud metadata, which is never reached"),
        ("http://metadata.google.internal/", "metadata.google.internal is an address of cloud metadata"),
        ("http://10.1.2.3/", "10.1.2.3 is in a private network"),
        ("file:///etc/passwd", "allowed: http://…, https://…"),
        ("http://user:word@127.0.0.1/", "has a user or password before its host"),
        ("http://[::1", "URL"),
        ("", "allowed: http://…, https://…"),
    ],
)
def test_what_may_not_be_reached_is_refused_in_words(url: str, said: str) -> None:
    tried = webhook.send(alert(url), "msg_1", b"{}", LOOPBACK)
    assert not tried.ok and tried.status is None and said in tried.message and "word" not in tried.message.split()


def test_no_word_of_a_failure_repeats_the_url_or_the_secret(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """A chat's URL is its password; the receiver says it back as far as it can."""
    secret = "T0123456789/B0123456789/abcdefghijklmnopqrstuvwx"
    one = webhook.resolve(alert(f"{receiver.url}/{secret}?token=hunter2hunter2", secret="sign with this one"), {})
    url = one.url.encode()
    for answer in (
        answering(403, b"no such hook: " + url + b" sign with this one", Content_Type="text/plain"),
        answering(404, b"no hook abcdefghijklmnopqrstuvwx is known here", Content_Type="text/plain"),
        answering(307, Location="http://localhost:1/abcdefghijklmnopqrstuvwx"),
        answering(302, Location=one.url + "x"),
    ):
        receiver.answer = answer
        tried = send(receiver, one)
        assert not tried.ok
        for word in ("abcdefghijklmnop", "hunter2", "sign with this"):
            assert word not in tried.message + caplog.text
    assert "abcdefghijklmnop" not in redaction.redact(one.url)


def test_references_are_filled_and_those_without_a_value_are_named() -> None:
    one = alert("https://${CHAT_HOST}/${CHAT_TOKEN}", secret="${SIGNING_KEY}")
    env = {"CHAT_HOST": "chat.example.com", "CHAT_TOKEN": "abc", "SIGNING_KEY": KEY}
    ready = webhook.resolve(one, env)
    assert (ready.url, ready.secret) == ("https://chat.example.com/abc", KEY)
    with pytest.raises(BadInput) as caught:
        webhook.resolve(one, {"CHAT_HOST": "chat.example.com"})
    assert [fault.field for fault in caught.value.faults] == ["alerts.chat.url", "alerts.chat.secret"]
    with pytest.raises(BadInput, match="a secret of the program itself"):
        webhook.resolve(alert("https://chat.example.com/${SECRET_KEY}"), {"SECRET_KEY": "k" * 20})
    with pytest.raises(Permanent, match="url of alert chat was sealed under another SECRET_KEY"):
        webhook.resolve(replace(one, unreadable=("url",)), env)


def test_a_key_that_is_none_is_said_without_it(receiver: Receiver) -> None:
    tried = send(receiver, alert(receiver.url, secret="whsec_what is this"))
    assert not tried.ok and "has no Base64 behind whsec_" in tried.message and "what is this" not in tried.message
    assert receiver.got == []
    short = send(receiver, alert(receiver.url, secret="too short"))
    assert not short.ok and "is shorter than 16 characters" in short.message and receiver.got == []
