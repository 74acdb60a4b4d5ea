"""Who enters: tokens of programs, sessions of people, and what becomes of both."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.api import auth
from app.api.password import Password, hashed
from tests.app.api.conftest import MakeClient
from worker.access import Scope
from worker.store import Store

TOKEN = "a-token-of-the-tests"
PASSWORD = "correct horse"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def guarded(make_client: MakeClient) -> TestClient:
    return make_client(auth_token=TOKEN, admin_password=PASSWORD)


def status(client: TestClient, token: str) -> int:
    return int(client.get("/api/jobs", headers={"Authorization": f"Bearer {token}"}).status_code)


def cookie(session: str) -> dict[str, str]:
    return {"Cookie": f"{auth.COOKIE}={session}"}


def log_in(client: TestClient, password: str = PASSWORD) -> str:
    """The new session's id, as only the browser knows it."""
    answer = client.post("/api/login", json={"password": password})
    assert answer.status_code == 200, answer.text
    return str(client.cookies[auth.COOKIE])


# Programs


def test_health_and_the_page_are_open(guarded: TestClient) -> None:
    for path in ("/healthz", "/readyz", "/", "/jobs", "/jobs/orders", "/login"):
        assert guarded.get(path).status_code == 200, path


def test_a_program_enters_with_the_token_alone(guarded: TestClient) -> None:
    good = (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} ")
    bad = (f"Bearer {TOKEN}x", "Bearer ", "Bearer", f"Basic {TOKEN}", f"Bearer {PASSWORD}", TOKEN, f"Bearer{TOKEN}")
    for header in (*good, *bad):
        answer = guarded.get("/api/jobs", headers={"Authorization": header})
        assert answer.status_code == (200 if header in good else 401), header


def test_two_tokens_in_one_request_are_none(guarded: TestClient) -> None:
    headers = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer other")]
    assert guarded.get("/api/jobs", headers=headers).status_code == 401


def test_where_only_a_password_is_set_no_word_is_the_token(make_client: MakeClient) -> None:
    client = make_client(admin_password=PASSWORD)
    assert [status(client, token) for token in ("", "None", "null", PASSWORD)] == [401] * 4


def test_a_token_is_told_once_and_opens_until_it_is_revoked(guarded: TestClient, store: Store) -> None:
    answer = guarded.post("/api/tokens", json={"name": "ci", "scope": "read"}, headers=BEARER)
    made = answer.json()
    assert answer.status_code == 201 and answer.headers["cache-control"] == "no-store"
    assert len(made["token"]) >= 46 and made["token"].startswith(made["prefix"]) and made["expires_at"] is None
    assert status(guarded, made["token"]) == 200
    listed = guarded.get("/api/tokens", headers=BEARER)
    assert [one["id"] for one in listed.json()["items"]] == [made["id"]]
    assert made["token"] not in listed.text and "hash" not in listed.text
    assert made["token"][10:] not in str(list(store.database["tokens"].find())), "not in the database either"
    assert guarded.delete(f"/api/tokens/{made['id']}", headers=BEARER).status_code == 204
    assert status(guarded, made["token"]) == 401, "at once"
    assert guarded.delete(f"/api/tokens/{made['id']}", headers=BEARER).status_code == 204, "again changes nothing"
    assert guarded.delete("/api/tokens/none", headers=BEARER).status_code == 404


def test_a_token_expires_by_the_servers_clock(guarded: TestClient, store: Store) -> None:
    answer = guarded.post("/api/tokens", json={"name": "ci", "scope": "read", "expires_in": "30d"}, headers=BEARER)
    token = answer.json()["token"]
    assert answer.json()["expires_at"] is not None and status(guarded, token) == 200
    store.database["tokens"].update_many({}, [{"$set": {"expires_at": "$$NOW"}}])
    assert status(guarded, token) == 401
    assert guarded.get("/api/tokens", headers=BEARER).json()["items"][0]["live"] is False


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"name": "x"}, "scope"),
        ({"name": "x", "scope": "root"}, "scope"),
        ({"name": "x", "scope": {"$gt": ""}}, "scope"),
        ({"name": "", "scope": "read"}, "name"),
        ({"name": "a\nb", "scope": "read"}, "name"),
        ({"name": "x" * 101, "scope": "read"}, "name"),
        ({"name": "x", "scope": "read", "expires_in": "soon"}, "expires_in"),
        ({"name": "x", "scope": "read", "expires_in": "0s"}, "expires_in"),
        ({"name": "x", "scope": "read", "expires_in": -1}, "expires_in"),
        ({"name": "x", "scope": "read", "token": "my own"}, "token"),
    ],
)
def test_a_bad_draft_of_a_token_is_refused_by_field(guarded: TestClient, draft: dict[str, object], field: str) -> None:
    answer = guarded.post("/api/tokens", json=draft, headers=BEARER)
    assert answer.status_code == 422 and [one["field"] for one in answer.json()["errors"]] == [field]


def test_no_token_makes_another_unless_it_is_an_admins(guarded: TestClient, store: Store) -> None:
    for scope, expected in ((Scope.READ, 403), (Scope.OPERATE, 403), (Scope.ADMIN, 201)):
        _, token = store.tokens.create("x", scope, None, "the tests")
        headers = {"Authorization": f"Bearer {token}"}
        assert guarded.post("/api/tokens", json={"name": "y", "scope": "read"}, headers=headers).status_code == expected


def test_what_is_no_token_of_ours_is_not_even_looked_up(
    guarded: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = store.tokens.create("x", Scope.ADMIN, None, "the tests")
    odd = ("sw_", token[:-1], token + "x", token.upper(), "x" * 60_000, "sw_" + "." * 43, "{'$gt': ''}", "sw_%00")
    assert [status(guarded, one) for one in odd] == [401] * len(odd)
    assert status(guarded, token) == 200


def test_a_dump_of_the_database_opens_nothing(guarded: TestClient, store: Store) -> None:
    session = log_in(guarded)
    _, token = store.tokens.create("x", Scope.ADMIN, None, "the tests")
    guarded.cookies.clear()
    texts = [
        str(value) for name in ("tokens", "sessions") for one in store.database[name].find() for value in one.values()
    ]
    assert session not in texts and token not in texts and len(texts) > 10
    for text in texts:
        assert status(guarded, text) == 401 and status(guarded, "sw_" + text) == 401
        assert guarded.get("/api/jobs", headers=cookie(text)).status_code == 401
    assert PASSWORD not in str(texts) and TOKEN not in str(texts)


# People


def test_a_person_logs_in_and_out(guarded: TestClient) -> None:
    answer = guarded.post("/api/login", json={"password": PASSWORD, "user": "admin"})
    assert answer.json() == {"who": "admin", "scope": "admin", "how": "session"}
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said and "samesite=lax" in said and "secure" not in said and "domain" not in said
    assert guarded.get("/api/session").json() == answer.json()
    session = guarded.cookies[auth.COOKIE]
    assert guarded.post("/api/logout").status_code == 204
    assert guarded.get("/api/jobs", headers=cookie(session)).status_code == 401, "ended at the server too"


@pytest.mark.parametrize("headers", [{"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "https, http"}])
def test_the_cookie_is_secure_behind_tls(guarded: TestClient, headers: dict[str, str]) -> None:
    answer = guarded.post("/api/login", json={"password": PASSWORD}, headers=headers)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_login_ends_the_session_that_it_came_with(guarded: TestClient) -> None:
    """Session fixation: what an attacker planted, or read on a shared machine, is worth nothing after it."""
    first = log_in(guarded)
    second = log_in(guarded)
    guarded.cookies.clear()
    assert first != second
    assert guarded.get("/api/jobs", headers=cookie(first)).status_code == 401
    assert guarded.get("/api/jobs", headers=cookie(second)).status_code == 200


def test_no_session_takes_an_id_that_the_browser_chose(guarded: TestClient) -> None:
    chosen = "A" * 43
    answer = guarded.post("/api/login", json={"password": PASSWORD}, headers=cookie(chosen))
    assert answer.status_code == 200 and chosen not in answer.headers["set-cookie"]
    guarded.cookies.clear()
    assert guarded.get("/api/jobs", headers=cookie(chosen)).status_code == 401


@pytest.mark.parametrize("session", ["", "x", "' or 1=1", "{}", "x" * 8000, "null"])
def test_a_cookie_that_we_never_gave_is_nobodys(guarded: TestClient, session: str) -> None:
    assert guarded.get("/api/jobs", headers=cookie(session)).status_code == 401


def test_a_wrong_token_is_not_saved_by_a_good_cookie(guarded: TestClient) -> None:
    log_in(guarded)
    assert guarded.get("/api/jobs", headers={"Authorization": "Bearer expired"}).status_code == 401
    assert guarded.get("/api/jobs", headers={"Authorization": "Basic of-a-proxy"}).status_code == 200


def test_a_session_outlives_the_process(guarded: TestClient, make_client: MakeClient) -> None:
    session = log_in(guarded)
    other = make_client(auth_token=TOKEN, admin_password=PASSWORD)
    assert other.get("/api/jobs", headers=cookie(session)).status_code == 200


def test_a_new_password_ends_all_sessions(guarded: TestClient, make_client: MakeClient) -> None:
    session = log_in(guarded)
    changed = make_client(admin_password="another one")
    assert changed.get("/api/jobs", headers=cookie(session)).status_code == 401


def test_an_idle_session_ends(guarded: TestClient, store: Store) -> None:
    log_in(guarded)
    long_ago = [{"$set": {"seen_at": {"$subtract": ["$$NOW", 12 * 3600 * 1000 + 1]}}}]
    store.database["sessions"].update_many({}, long_ago)
    assert guarded.get("/api/jobs").status_code == 401


def test_the_token_serves_as_password_where_there_is_none(make_client: MakeClient) -> None:
    client = make_client(auth_token=TOKEN)
    log_in(client, TOKEN)
    assert client.get("/api/jobs").status_code == 200


def test_where_there_is_a_password_the_token_is_none(guarded: TestClient) -> None:
    assert guarded.post("/api/login", json={"password": TOKEN}).status_code == 401


def test_the_password_may_be_given_as_its_hash(make_client: MakeClient) -> None:
    client = make_client(admin_password=hashed(PASSWORD, b"salt of the tests"))
    assert client.post("/api/login", json={"password": hashed(PASSWORD, b"salt of the tests")}).status_code == 401
    log_in(client)
    assert client.get("/api/jobs").status_code == 200


def test_the_password_is_hashed_with_argon2id_and_never_shown() -> None:
    password = Password(PASSWORD)
    assert hashed(PASSWORD, b"salt of the tests").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in repr(password) + str(vars(password))
    assert password.right(PASSWORD) and not password.right(PASSWORD + " ") and not password.right("")


def test_an_open_api_asks_nobody(client: TestClient) -> None:
    assert client.get("/api/jobs").status_code == 200
    everybody = {"who": "anyone", "scope": "admin", "how": "anyone"}
    assert client.post("/api/login", json={"password": "any"}).json() == everybody
    assert client.get("/api/session").json() == everybody
