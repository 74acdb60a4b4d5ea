"""Guessing passwords: five a minute, from an address and at an account; which accounts there are is not told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.auth import Door
from app.api.password import Password
from tests.app.api.conftest import SETTINGS, MakeClient
from worker.store import Store
from worker.store.logins import ATTEMPTS, WINDOW

PASSWORD = "correct horse"


@pytest.fixture
def guarded(make_client: MakeClient) -> TestClient:
    return make_client(admin_password=PASSWORD)


def guess(client: TestClient, password: str = "wrong", **more: Any) -> int:
    answer = client.post("/api/login", json={"password": password, **more.pop("json", {})}, **more)
    return int(answer.status_code)


def test_the_sixth_wrong_password_is_not_looked_at(guarded: TestClient) -> None:
    assert [guess(guarded) for _ in range(ATTEMPTS)] == [401] * ATTEMPTS
    answer = guarded.post("/api/login", json={"password": PASSWORD})
    assert answer.status_code == 429, "the right one neither"
    assert 1 <= int(answer.headers["retry-after"]) <= WINDOW


def test_right_passwords_are_not_limited(guarded: TestClient) -> None:
    for _ in range(3):
        assert [guess(guarded) for _ in range(ATTEMPTS - 1)] == [401] * (ATTEMPTS - 1)
        assert guess(guarded, PASSWORD) == 200


def test_the_limit_ends_after_a_minute(guarded: TestClient, store: Store) -> None:
    for _ in range(ATTEMPTS):
        guess(guarded)
    past = {"$map": {"input": "$failed", "in": {"$subtract": ["$$this", (WINDOW + 1) * 1000]}}}
    store.database["logins"].update_many({}, [{"$set": {"failed": past}}])
    assert guess(guarded, PASSWORD) == 200


def test_other_addresses_share_the_limit_of_the_account(make_client: MakeClient) -> None:
    client = make_client(admin_password=PASSWORD, trusted_proxies=("127.0.0.0/8", "::1/128"))
    client = TestClient(client.app, base_url="http://localhost:8080", client=("127.0.0.1", 1))
    found = [guess(client, headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(ATTEMPTS)]
    assert found == [401] * ATTEMPTS
    assert guess(client, headers={"X-Forwarded-For": "203.0.113.99"}) == 429


def test_other_accounts_share_the_limit_of_the_address(guarded: TestClient) -> None:
    found = [guess(guarded, json={"user": "nobody"}) for _ in range(ATTEMPTS - 2)] + [guess(guarded), guess(guarded)]
    assert found == [401] * ATTEMPTS
    assert guess(guarded, PASSWORD) == 429


def test_the_limit_holds_over_instances_and_restarts(guarded: TestClient, make_client: MakeClient) -> None:
    for _ in range(ATTEMPTS):
        guess(guarded)
    assert guess(make_client(admin_password=PASSWORD), PASSWORD) == 429


def test_many_guesses_at_once_are_counted_before_they_are_looked_at(
    guarded: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(_: Password, given: str) -> bool:
        looked.append(given)
        return False

    monkeypatch.setattr(Password, "right", look)
    with ThreadPoolExecutor(12) as pool:
        found = sorted(pool.map(lambda _: guess(guarded), range(12)))
    assert found == [401] * ATTEMPTS + [429] * (12 - ATTEMPTS) and len(looked) == ATTEMPTS


def test_an_unknown_account_takes_the_same_way(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the time tells nothing: for both the password is hashed, and the answers are the same bytes."""
    looked: list[str] = []
    right = Password.right

    def look(self: Password, given: str) -> bool:
        looked.append(given)
        return right(self, given)

    monkeypatch.setattr(Password, "right", look)
    answers = []
    for user in ("admin", "nobody"):
        answer = guarded.post("/api/login", json={"password": "wrong", "user": user}, headers={"X-Request-Id": "one"})
        answers.append((answer.status_code, answer.content))
    assert looked == ["wrong", "wrong"] and answers[0] == answers[1] and answers[0][0] == 401
    assert guess(guarded, PASSWORD, json={"user": "nobody"}) == 401, "nor does the right password help it"


def test_one_password_is_looked_at_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes 64 MiB: a crowd of logins must not be a way to eat the memory."""
    password, looking, looks, crowd = Password(PASSWORD), threading.Lock(), [], threading.Barrier(8)

    def look(*_: object) -> bool:
        assert looking.acquire(blocking=False), "two at once"
        looks.append(1)
        threading.Event().wait(0.001)  # gives the others their turn to come in, if they could
        looking.release()
        return False

    def arrive(given: str) -> bool:
        crowd.wait(10)
        return password.right(given)

    monkeypatch.setattr("app.api.password.verify_secret", look)
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(arrive, ["x"] * 8))
    assert len(looks) == 8


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("203.0.113.7", (), "192.0.2.1"),
        ("203.0.113.7", ("192.0.2.0/24",), "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7", ("192.0.2.0/24",), "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 192.0.2.9", ("192.0.2.0/24",), "203.0.113.7"),
        ("nonsense", ("192.0.2.0/24",), "192.0.2.1"),
        ("", ("192.0.2.0/24",), "192.0.2.1"),
        ("203.0.113.7", ("10.0.0.0/8",), "192.0.2.1"),
    ],
)
def test_an_address_is_believed_of_a_trusted_proxy_alone(
    forwarded: str, proxies: tuple[str, ...], address: str
) -> None:
    from starlette.requests import Request

    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    request = Request({"type": "http", "headers": headers, "client": ("192.0.2.1", 1)})
    assert Door(replace(SETTINGS, trusted_proxies=proxies)).address(request) == address


def test_a_made_up_address_is_no_way_around_the_limit(guarded: TestClient) -> None:
    found = [guess(guarded, headers={"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(ATTEMPTS + 1)]
    assert found == [401] * ATTEMPTS + [429]


def test_a_neighbourhood_of_ipv6_counts_as_one(make_client: MakeClient) -> None:
    app = make_client(admin_password=PASSWORD).app
    for n in range(ATTEMPTS):
        client = TestClient(app, base_url="http://localhost:8080", client=(f"2001:db8::{n:x}", 1))
        assert guess(client, json={"user": "nobody"}) == 401
    assert guess(TestClient(app, base_url="http://localhost:8080", client=("2001:db8::ff", 1))) == 429
    assert guess(TestClient(app, base_url="http://localhost:8080", client=("2001:db8:1::1", 1)), PASSWORD) == 200
