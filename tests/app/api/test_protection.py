"""Foreign hosts, foreign origins, and the headers that every response has."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.app.api.conftest import MakeClient

PREVIEW = {"every": "1h", "after": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200), ("127.0.0.1", 200), ("127.0.0.1:1", 200), ("[::1]:8080", 200), ("LOCALHOST", 200),
        ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421),
        ("evil.example:8080", 421), ("10.0.0.1", 421), ("user@localhost", 421), ("", 421), ("localhost:x", 421),
    ],
)  # fmt: skip
def test_on_loopback_only_loopback_names_are_answered(offline: TestClient, host: str, status: int) -> None:
    assert offline.get("/api/openapi.json", headers={"Host": host}).status_code == status


def test_elsewhere_any_name_is_answered(make_client: MakeClient) -> None:
    client = make_client(host="0.0.0.0")
    assert client.get("/api/openapi.json", headers={"Host": "sync.example"}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200), ("http://localhost:8080", 200), ("http://evil.example", 403), ("null", 403),
        ("http://localhost:8081", 403), ("https://localhost", 403), ("http://localhost:8080.evil.example", 403),
    ],
)  # fmt: skip
def test_another_site_may_not_change_anything(offline: TestClient, origin: str | None, status: int) -> None:
    headers = {"Origin": origin} if origin else {}
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


@pytest.mark.parametrize("path", ["/", "/api/openapi.json", "/api/nothing", "/healthz", "/assets/none.js"])
def test_every_response_forbids_foreign_content(offline: TestClient, path: str) -> None:
    headers = offline.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
