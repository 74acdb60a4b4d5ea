"""Alerts in the declarative file: read as they are meant, every mistake clear, printed as the same bytes."""

from __future__ import annotations

import base64
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.alert import Alert, Format
from worker.declaration import alert_document, load, parse_alert, print_file, what_it_tells
from worker.declaration.alerts import host_of, literal_alert_secrets, origin_of, printable, signing_key
from worker.declaration.file import _Reader
from worker.declaration.notes import notes
from worker.declaration.schema import file_schema
from worker.errors import BadInput, Fault

EDITOR = jsonschema.Draft202012Validator(file_schema())
JOB = {"source": "shop", "destination": "shop", "streams": [{"name": "a", "target": "b"}]}
CONNECTIONS = {"shop": {"type": "sqlite", "path": "shop.db"}}
JOBS = {"orders": JOB, "customers": JOB}
URL = "https://hooks.example.com/services/T024/B0/uyJx3rtmWqzKpdv8"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def file(alert: dict[str, Any]) -> str:
    return print_file(CONNECTIONS, JOBS, {"team-chat": alert})


def faults_of(alert: dict[str, Any]) -> list[Fault]:
    with pytest.raises(BadInput) as caught:
        load(file(alert))
    return caught.value.faults


def test_an_alert_is_read_as_it_is_meant() -> None:
    text = file({}).replace(
        "team-chat: {}",
        """team-chat:
    url: "${TEAM_CHAT_URL}"
    secret: "${ALERT_SECRET}"
    jobs: [orders, customers]
    failures: off
    recovery: no
    held: yes
    stale: 2h
    enabled: false
""",
    )
    assert load(text).alerts == {
        "team-chat": Alert(
            id="team-chat",
            url="${TEAM_CHAT_URL}",
            format=Format.JSON,
            secret="${ALERT_SECRET}",
            jobs=("orders", "customers"),
            failures=None,
            recovery=False,
            held=True,
            stale=7200.0,
            enabled=False,
        )
    }


def test_what_is_left_out_or_empty_has_its_default() -> None:
    plain = load(file({"url": URL})).alerts["team-chat"]
    assert plain == Alert(id="team-chat", url=URL)
    nothing = dict.fromkeys(("format", "secret", "jobs", "failures", "recovery", "held", "stale", "enabled"))
    assert load(file({"url": URL, **nothing})).alerts["team-chat"] == plain
    assert alert_document(plain) == {"url": URL}


urls = st.sampled_from(
    [URL, "http://127.0.0.1:8080/hook?x=1#y", "${A_URL}", "file:/run/secrets/url", "HTTP://[::1]:9/"]
)
secrets = st.sampled_from([SECRET, "${A_SECRET}", "file:/run/secrets/key", "a text: 'odd' #enough\u2028", "0" * 16])
alerts = st.builds(
    lambda format, secret, failures, held, stale, **said: Alert(
        id="team-chat",
        format=format,
        secret=secret if format is Format.JSON else None,
        failures=failures,
        held=held or (failures is None and stale is None),
        stale=stale,
        **said,
    ),
    url=urls,
    format=st.sampled_from(Format),
    secret=st.none() | secrets,
    jobs=st.sampled_from([None, ("orders",), ("orders", "customers"), ("customers", "orders")]),
    failures=st.none() | st.integers(1, 100),
    recovery=st.booleans(),
    held=st.booleans(),
    stale=st.none() | st.integers(60_000, 10**9).map(lambda ms: ms / 1000),
    enabled=st.booleans(),
)


@settings(deadline=None, max_examples=200)
@given(alerts)
def test_what_is_printed_reads_back_as_it_was_and_prints_as_the_same_bytes(alert: Alert) -> None:
    text = file(alert_document(alert))
    read = load(text).alerts["team-chat"]
    assert read == alert
    assert file(alert_document(read)) == text
    assert [error.message for error in EDITOR.iter_errors(_Reader().read(text))] == []
    assert parse_alert("team-chat", alert_document(alert), jobs={"orders", "customers"}) == alert
    assert what_it_tells(alert)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"url": None}, "url", "is missing"),
        ({"url": ""}, "url", "is empty"),
        ({"url": 17}, "url", "is no text; allowed: a text (quote it)"),
        ({"url": ["x"]}, "url", "is a list; allowed: a text (quote it)"),
        ({"url": "ftp://geheim.example/x"}, "url", "allowed: https://… or http://…, or a reference such as ${NAME}"),
        ({"url": "hooks.example.com/geheim"}, "url", "allowed: https://… or http://…"),
        ({"url": "ftp://${HOST}/x"}, "url", "allowed: https://… or http://…"),
        ({"url": "https:///geheim"}, "url", "has no host"),
        ({"url": "https://:443/geheim"}, "url", "has no host"),
        ({"url": "https://h:99999/geheim"}, "url", "a port that is none"),
        ({"url": "https://h:port/geheim"}, "url", "a port that is none"),
        ({"url": "https://[::1/geheim"}, "url", "has no host"),
        ({"url": "https://user:geheim@h/"}, "url", "has a user or password before its host"),
        ({"url": "https://${USER}@h/"}, "url", "has a user or password before its host"),
        ({"url": "https://h/geheim x"}, "url", "has a blank"),
        ({"url": "https://h/geheim\nx"}, "url", "control characters"),
        ({"url": "https://h/" + "geheim" * 400}, "url", "longer than 2000 characters"),
        ({"url": "${SECRET_KEY}"}, "url", "a secret of the program itself"),
        ({"url": "${a b}"}, "url", "has ${a b}"),
        ({"format": "teams"}, "format", "is 'teams'; allowed: json, slack"),
        ({"format": "slack", "secret": SECRET}, "secret", "does not go with format slack"),
        ({"secret": "geheim"}, "secret", "is shorter than 16 characters; allowed: whsec_ with 24 to 64 bytes"),
        ({"secret": "whsec_geheim geheim!"}, "secret", "has no Base64 behind whsec_; allowed: "),
        ({"secret": "whsec_Z2VoZWlt"}, "secret", "has 6 bytes behind whsec_; allowed: "),
        ({"secret": "whsec_" + "Z2VoZWlt" * 11}, "secret", "has 66 bytes behind whsec_"),
        ({"secret": 1234567890123456}, "secret", "is no text; allowed: a text (quote it)"),
        ({"secret": True}, "secret", "is true; allowed: a text"),
        ({"jobs": []}, "jobs", "is empty; name at least one job, or leave it out for all of them"),
        ({"jobs": "orders"}, "jobs", "is 'orders'; allowed: a list of texts"),
        ({"jobs": ["orders", "orders"]}, "jobs", "names orders twice"),
        ({"jobs": ["customers", "ordrs"]}, "jobs[1]", "is 'ordrs', which is no job; did you mean orders?"),
        ({"jobs": ["zzz"]}, "jobs[0]", "is 'zzz', which is no job; allowed: customers, orders"),
        ({"jobs": [7]}, "jobs", "is a list; allowed: a list of texts"),
        ({"failures": 0}, "failures", "is 0; allowed: a whole number from 1 to 100, or off"),
        ({"failures": 101}, "failures", "is 101; allowed"),
        ({"failures": True}, "failures", "is true; allowed: a whole number from 1 to 100, or off"),
        ({"failures": "3"}, "failures", "is '3'; allowed"),
        ({"failures": 1.5}, "failures", "is 1.5; allowed"),
        ({"recovery": "often"}, "recovery", "is 'often'; allowed: true, false"),
        ({"held": 1}, "held", "is 1; allowed: true, false"),
        ({"enabled": "x"}, "enabled", "is 'x'; allowed: true, false"),
        ({"stale": "59s"}, "stale", "is '59s'; allowed: 1m or more; leave it out for never"),
        ({"stale": "soon"}, "stale", "is 'soon'; allowed: a duration such as"),
        ({"failure": 3}, "failure", "is not known here; did you mean failures?"),
        (
            {"failures": "off", "held": False},
            "",
            "tells nothing: failures is off, held is false, and there is no",
        ),
    ],
)
def test_every_mistake_is_one_clear_word_at_its_place_and_no_secret(
    change: dict[str, Any], field: str, words: str
) -> None:
    (fault,) = faults_of({"url": URL} | change)
    assert fault.field == "alerts.team-chat" + (f".{field}" if field else "")
    assert words in fault.message
    assert "geheim" not in fault.message and "uyJx3" not in fault.message
    assert fault.line and fault.line > 10 and fault.column


def test_an_alert_has_an_id_like_everything() -> None:
    with pytest.raises(BadInput, match=r"alerts\.Team chat: is no id"):
        load(print_file(CONNECTIONS, JOBS, {"Team chat": {"url": URL}}))


def test_of_very_many_jobs_none_are_listed_where_one_is_misspelt() -> None:
    with pytest.raises(BadInput, match="which is no job; there are 10000 others") as caught:
        parse_alert("x", {"url": URL, "jobs": ["zzz"]}, jobs={f"job{number}" for number in range(10_000)})
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    ("url", "host", "shown"),
    [
        ("https://hooks.example.com/services/T0/x", "hooks.example.com", False),
        ("https://hooks.example.com:8443", "hooks.example.com:8443", True),
        ("https://hooks.example.com/", "hooks.example.com", True),
        ("https://hooks.example.com?key=1", "hooks.example.com", False),
        ("https://hooks.example.com\\@evil.example/", "hooks.example.com", False),
        ("https://hooks.example.com/${PATH_OF_IT}", "hooks.example.com", True),
        ("https://hooks.example.com/services/${PATH_OF_IT}", "hooks.example.com", False),
        ("https://hooks.example.com/$${LITERAL}", "hooks.example.com", False),
        ("https://hooks.example.com/${file:/run/secrets/path}", "hooks.example.com", True),
        ("https://${HOST}/x", None, False),
        ("https://${HOST}.example.com/${PATH_OF_IT}", None, True),
        ("https://${file:/run/secrets/host}/${X}", None, True),
        ("${TEAM_CHAT_URL}", None, True),
        ("file:/run/secrets/url", None, True),
    ],
)
def test_of_a_url_only_the_server_and_its_references_are_shown(url: str, host: str | None, shown: bool) -> None:
    assert (host_of(url), printable("url", url)) == (host, shown)
    assert literal_alert_secrets(Alert(id="x", url=url, secret="${S}")) == ([] if shown else ["url"])


def test_another_server_is_another_origin() -> None:
    same = "https://h/a", "https://h/b?c", "https://h", "https://h/${X}"
    assert len({origin_of(url) for url in same}) == 1
    others = "http://h/a", "https://h:1/a", "https://i/a", "https://${X}/a", "${X}", "https://h.${X}/a", "file:/h"
    assert len({origin_of(url) for url in others} | {origin_of(same[0])}) == len(others) + 1


def test_a_key_is_bytes_in_base64_or_any_long_text() -> None:
    assert signing_key(SECRET) == bytes(range(32))
    assert signing_key("sixteen letters!") == b"sixteen letters!"


def test_a_reference_that_is_not_set_here_is_worth_a_note() -> None:
    declared = load(file({"url": "${TEAM_CHAT_URL}", "secret": "${ALERT_SECRET}"}))
    told = [(note.field, note.message) for note in notes(declared, ["TEAM_CHAT_URLS", "ALERT_SECRET"])]
    wanted = (
        "refers to ${TEAM_CHAT_URL}, which is not set here; it must be wherever an instance runs; "
        "did you mean ${TEAM_CHAT_URLS}?"
    )
    assert ("alerts.team-chat.url", wanted) in told
    assert not any(field.endswith(".secret") for field, _ in told)


def test_one_job_of_a_file_comes_without_the_alerts() -> None:
    only = load(file({"url": URL, "jobs": ["orders"]})).only("orders")
    assert only is not None and only.alerts == {}
