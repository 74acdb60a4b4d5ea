"""Who may enter: a table made from ROUTES, tokens, sessions, and the limit on logins."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from app.api import auth
from app.routes import ROUTES
from tests.app.api.conftest import MakeClient
from worker import clock
from worker.store import Store

TOKEN = "a-token-of-the-tests"
PASSWORD = "correct horse"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

PATHS = sorted({re.sub(r"\{\w+(:\w+)?\}", "x", operation.path) for operation in ROUTES})
CLOSED = [path for path in PATHS if path not in {"/healthz", "/readyz", "/api/login"}]


@pytest.fixture
def guarded(make_client: MakeClient) -> TestClient:
    return make_client(auth_token=TOKEN, admin_password=PASSWORD)


def test_every_path_is_closed_to_whoever_has_no_credentials(guarded: TestClient) -> None:
    for path in [*CLOSED, "/api", "/api/", "/api/nothing/here", "//api/jobs"]:
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
            answer = guarded.request(method, f"http://localhost:8080{path}")
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"


def test_the_login_is_open_to_be_posted_to_alone(guarded: TestClient) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
        assert guarded.request(method, "/api/login").status_code == 401, method


def test_health_and_the_page_are_open(guarded: TestClient) -> None:
    for path in ("/healthz", "/readyz", "/", "/jobs", "/jobs/orders", "/login"):
        assert guarded.get(path).status_code == 200, path


def test_a_program_enters_with_the_token_alone(guarded: TestClient) -> None:
    good = (f"Bearer {TOKEN}", f"bearer {TOKEN}")
    bad = (f"Bearer {TOKEN}x", "Bearer ", "Bearer", f"Basic {TOKEN}", f"Bearer {PASSWORD}", TOKEN)
    for header in (*good, *bad):
        answer = guarded.get("/api/jobs", headers={"Authorization": header})
        assert answer.status_code == (200 if header in good else 401), header


def test_with_credentials_an_unknown_path_is_not_found(guarded: TestClient) -> None:
    assert guarded.get("/api/nothing", headers=BEARER).status_code == 404


def test_where_only_a_password_is_set_no_token_enters(make_client: MakeClient) -> None:
    client = make_client(admin_password=PASSWORD)
    assert client.get("/api/jobs", headers={"Authorization": "Bearer "}).status_code == 401
    assert client.get("/api/jobs", headers={"Authorization": "Bearer None"}).status_code == 401


def test_a_person_logs_in_and_out(guarded: TestClient, store: Store) -> None:
    answer = guarded.post("/api/login", json={"password": PASSWORD})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie
    assert guarded.get("/api/jobs").status_code == 200
    session = guarded.cookies[auth.COOKIE]
    assert session not in str(list(store.database["sessions"].find()))
    assert guarded.post("/api/logout").status_code == 204
    assert guarded.get("/api/jobs", headers={"Cookie": f"{auth.COOKIE}={session}"}).status_code == 401


def test_a_session_outlives_the_process(guarded: TestClient, make_client: MakeClient) -> None:
    guarded.post("/api/login", json={"password": PASSWORD})
    other = make_client(auth_token=TOKEN, admin_password=PASSWORD)
    other.cookies = guarded.cookies
    assert other.get("/api/jobs").status_code == 200


def test_a_new_password_ends_all_sessions(guarded: TestClient, make_client: MakeClient) -> None:
    guarded.post("/api/login", json={"password": PASSWORD})
    changed = make_client(admin_password="another one")
    changed.cookies = guarded.cookies
    assert changed.get("/api/jobs").status_code == 401


def test_the_cookie_is_secure_behind_tls(guarded: TestClient) -> None:
    answer = guarded.post("/api/login", json={"password": PASSWORD}, headers={"X-Forwarded-Proto": "https"})
    assert "secure" in answer.headers["set-cookie"].lower()


def test_an_idle_session_ends(guarded: TestClient, store: Store) -> None:
    guarded.post("/api/login", json={"password": PASSWORD})
    long_ago = [{"$set": {"seen_at": {"$subtract": ["$$NOW", 12 * 3600 * 1000 + 1]}}}]
    store.database["sessions"].update_many({}, long_ago)
    assert guarded.get("/api/jobs").status_code == 401


def test_the_token_serves_as_password_where_there_is_none(make_client: MakeClient) -> None:
    client = make_client(auth_token=TOKEN)
    assert client.post("/api/login", json={"password": TOKEN}).status_code == 200
    assert client.get("/api/jobs").status_code == 200


def test_the_sixth_wrong_password_is_not_looked_at(guarded: TestClient) -> None:
    for _ in range(auth.ATTEMPTS):
        assert guarded.post("/api/login", json={"password": "wrong"}).status_code == 401
    answer = guarded.post("/api/login", json={"password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= auth.WINDOW + 1


def test_right_passwords_are_not_limited(guarded: TestClient) -> None:
    for _ in range(auth.ATTEMPTS + 2):
        assert guarded.post("/api/login", json={"password": PASSWORD}).status_code == 200


def test_the_limit_ends_after_a_minute(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(auth.ATTEMPTS):
        guarded.post("/api/login", json={"password": "wrong"})
    later = clock.monotonic() + auth.WINDOW + 1
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    assert guarded.post("/api/login", json={"password": PASSWORD}).status_code == 200


def test_an_open_api_asks_nobody(client: TestClient) -> None:
    assert client.get("/api/jobs").status_code == 200
    assert client.post("/api/login", json={"password": "any"}).json() == {"who": "anyone"}
