"""Foreign hosts, foreign origins, and the headers that every response has."""

from __future__ import annotations

import json
import logging
import re

import pytest
from starlette.testclient import TestClient

from app.api.protection import HEADERS
from tests.app.api.conftest import MakeClient
from tests.app.api.raw import HOST, ask
from worker import logs
from worker.access import Scope
from worker.store import Store

PREVIEW = {"every": "1h", "after": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200), ("127.0.0.1", 200), ("127.0.0.1:1", 200), ("[::1]:8080", 200), ("LOCALHOST", 200),
        ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421),
        ("evil.example:8080", 421), ("10.0.0.1", 421), ("user@localhost", 421), ("", 421), ("localhost:x", 421),
        ("localhost.", 200), ("evil.localhost", 200), ("127.0.0.1.nip.io", 421), ("7f000001.rbndr.us", 421),
        ("0.0.0.0", 421), ("2130706433", 421), ("0x7f.1", 421), ("localhost/..", 421), ("localhost evil.example", 421),
        ("localhost#evil.example", 421), ("localhost?x", 421), ("[::ffff:10.0.0.1]", 421), ("localhost,x.example", 421),
    ],
)  # fmt: skip
def test_on_loopback_only_loopback_names_are_answered(offline: TestClient, host: str, status: int) -> None:
    assert offline.get("/api/openapi.json", headers={"Host": host}).status_code == status


def test_elsewhere_any_name_is_answered(make_client: MakeClient) -> None:
    client = make_client(host="0.0.0.0")
    assert client.get("/api/openapi.json", headers={"Host": "sync.example"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("sync.example", 200), ("SYNC.example.:443", 200), ("a.team.example", 200), ("a.b.team.example:8080", 200),
        ("localhost:8080", 200), ("192.0.2.7:8080", 200), ("[2001:db8::1]", 200), ("evil.example", 421),
        ("team.example", 421), ("notsync.example", 421), ("sync.example.evil.example", 421), ("xteam.example", 421),
        ("", 421),
    ],
)  # fmt: skip
def test_allowed_names_are_answered_and_no_others(make_client: MakeClient, host: str, status: int) -> None:
    """An address is: a page of another site is reached by a name, however that name was made to point here."""
    client = make_client(host="0.0.0.0", allowed_hosts=("sync.example", "*.team.example"))
    assert client.get("/api/openapi.json", headers={"Host": host}).status_code == status


def test_behind_a_proxy_on_the_same_machine_its_name_may_be_allowed(make_client: MakeClient) -> None:
    client = make_client(allowed_hosts=("sync.example",))
    for host, status in (("sync.example", 200), ("localhost", 200), ("192.0.2.7", 421), ("evil.example", 421)):
        assert client.get("/api/openapi.json", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"]])
@pytest.mark.parametrize("listening", ["127.0.0.1", "0.0.0.0"])
def test_a_request_has_one_host(make_client: MakeClient, hosts: list[str], listening: str) -> None:
    client = make_client(host=listening)
    assert ask(client.app, "GET", "/api/openapi.json", [("host", host) for host in hosts]).status == 421


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200), ("http://localhost:8080", 200), ("http://evil.example", 403), ("null", 403),
        ("http://localhost:8081", 403), ("https://localhost", 403), ("http://localhost:8080.evil.example", 403),
        ("http://LOCALHOST:8080", 200), ("http://127.0.0.1:8080", 403), ("http://x.localhost:8080", 403),
        ("http://localhost", 403), ("file://", 403), ("chrome-extension://abc", 403), ("", 403), ("*", 403),
        ("http://localhost:8080@evil.example", 403), ("http://localhost:8080, http://evil.example", 403),
        ("http://evil.example#localhost:8080", 403), ("//localhost:8080", 403), ("localhost:8080", 403),
    ],
)  # fmt: skip
def test_another_site_may_not_change_anything(offline: TestClient, origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert offline.post("/api/schedules/preview", json=PREVIEW, headers=headers).status_code == status
    assert offline.get("/api/openapi.json", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403)]
)
def test_a_browser_that_says_so_itself_is_believed(offline: TestClient, site: str, status: int) -> None:
    headers = {"Sec-Fetch-Site": site}
    assert offline.post("/api/schedules/preview", json=PREVIEW, headers=headers).status_code == status
    assert offline.get("/api/openapi.json", headers=headers).status_code == 200


def test_the_default_port_may_be_left_out(make_client: MakeClient) -> None:
    client = make_client(host="0.0.0.0")
    headers = {"Host": "sync.example", "Origin": "https://sync.example"}
    assert client.post("/api/schedules/preview", json=PREVIEW, headers=headers).status_code == 200


def test_two_origins_are_foreign(offline: TestClient) -> None:
    headers = [("Origin", "http://localhost:8080"), ("Origin", "http://evil.example")]
    answer = offline.post("/api/schedules/preview", json=PREVIEW, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "X"])
def test_every_unsafe_method_is_looked_at_before_anything_else(offline: TestClient, method: str) -> None:
    answer = offline.request(method, "/api/nothing", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403 and "evil.example" in answer.json()["detail"]


def test_no_page_of_another_origin_may_read_an_answer(offline: TestClient) -> None:
    """There is no CORS: a preflight is a request without credentials, and nothing in any answer allows anybody."""
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}
    for answer in (
        offline.options("/api/jobs", headers=preflight),
        offline.get("/api/openapi.json", headers={"Origin": "http://evil.example"}),
        offline.get("/api/openapi.json", headers={"Origin": "null"}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/api/openapi.json", "/api/nothing", "/healthz", "/assets/none.js"])
def test_every_response_forbids_foreign_content(offline: TestClient, path: str) -> None:
    headers = offline.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
    assert headers["x-request-id"]


def test_refusals_failures_and_streams_have_them_too(
    make_client: MakeClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(auth_token="a-token-of-the-tests")
    _, token = store.tokens.create("reader", Scope.READ, None, "the tests")
    reader = ("authorization", f"Bearer {token}")
    asked = [
        (401, "GET", "/api/jobs", [HOST]),
        (403, "POST", "/api/jobs", [HOST, reader]),
        (403, "POST", "/api/jobs", [HOST, ("origin", "http://evil.example")]),
        (421, "GET", "/", [("host", "evil.example")]),
        (404, "GET", "/api/nothing", [HOST, reader]),
        (405, "POST", "/", [HOST]),
        (200, "HEAD", "/", [HOST]),
        (200, "GET", "/api/events", [HOST, reader]),
        (200, "GET", "/metrics", [HOST, reader]),
    ]
    for status, method, path, headers in asked:
        answer = ask(client.app, method, path, headers)
        assert answer.status == status, (method, path)
        assert HEADERS.keys() <= {name.title() for name in answer.headers}, (method, path)
    monkeypatch.setattr("app.dashboard.Dashboard._find", lambda *_: 1 / 0)
    broken = ask(client.app, "GET", "/")
    assert broken.status == 500 and "content-security-policy" in broken.headers


def test_no_answer_of_the_api_is_kept_by_a_cache(offline: TestClient) -> None:
    for path in ("/api/openapi.json", "/api/nothing", "/healthz", "/metrics"):
        assert offline.get(path).headers["cache-control"] == "no-store", path


def test_the_policy_allows_nothing_inline() -> None:
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'" and policy["frame-ancestors"] == "'none'"
    assert not any(word in str(policy) for word in ("unsafe", "*", "http:", "data:", "blob:", "nonce", "sha256"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abc-123", True), ("A" * 64, True), ("A" * 65, False), ("", False), ("a b", False), ("a\x1bb", False),
        ("{}", False), ("a/b", False), ("é", False),
    ],
)  # fmt: skip
def test_a_sane_id_of_a_request_is_kept_and_another_replaced(offline: TestClient, given: str, kept: bool) -> None:
    found = ask(offline.app, "GET", "/healthz", [HOST, ("x-request-id", given)]).headers["x-request-id"]
    assert (found == given) is kept and re.fullmatch(r"[A-Za-z0-9-]{1,64}", found)


def test_a_requests_id_is_in_its_problem_and_in_its_log(
    offline: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = offline.get("/api/nothing", headers={"X-Request-Id": "mine"})
    assert answer.json()["request_id"] == "mine"
    monkeypatch.setattr("worker.schedule.describe", lambda *_: 1 / 0)
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        logs.configure("info", "json", "api")
        offline.post("/api/schedules/preview", json=PREVIEW, headers={"X-Request-Id": "mine-too"})
    finally:
        root.handlers[:], root.level = before
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert [line["request"] for line in lines if line["level"] == "error"] == ["mine-too"]
