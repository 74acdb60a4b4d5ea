"""A stored secret goes with its address: no edit takes it along to another one, and none of it is ever shown."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.masking import MASK, kept, masked
from tests.app.api.conftest import MakeClient
from worker.access import Scope
from worker.errors import BadInput
from worker.store import Store

SECRET = frozenset({"url", "password"})
STORED = {"url": "postgresql://ann:geheim@db.example:5432/shop?sslmode=verify-full&sslpassword=zwei", "room": "attic"}
SHOWN = f"postgresql://ann:{MASK}@db.example:5432/shop?sslmode=verify-full&sslpassword={MASK}"


def after(**given: Any) -> dict[str, Any]:
    return kept(given, STORED, SECRET)


def test_what_comes_back_as_it_was_shown_stays() -> None:
    assert masked(STORED, SECRET)["url"] == SHOWN
    assert after(url=SHOWN, room="attic") == STORED
    assert after(room="attic") == STORED


def test_another_database_of_the_same_server_keeps_the_password() -> None:
    assert after(url=SHOWN.replace("/shop?", "/lake?"))["url"] == STORED["url"].replace("/shop?", "/lake?")
    assert after(url=SHOWN.replace("/shop?", "?"))["url"] == STORED["url"].replace("/shop?", "?")


@pytest.mark.parametrize(
    "url",
    [
        SHOWN.replace("db.example", "evil.example"),
        SHOWN.replace("db.example:5432", "db.example:5433"),
        SHOWN.replace(":5432", ""),
        SHOWN.replace("db.example:5432", "db.example:5432,evil.example"),
        SHOWN.replace("ann", "bob"),
        SHOWN.replace("postgresql", "http"),
        SHOWN + "&host=evil.example",
        SHOWN.replace("verify-full", "disable"),
        SHOWN.replace("sslmode=verify-full&", ""),
        SHOWN.replace("/shop?", "/x@evil.example/shop?"),
        SHOWN.replace("/shop?", f"/{MASK}?"),
        f"postgresql://evil.example/?x={MASK}&y={MASK}",
        f"postgresql://ann:x{MASK}@db.example:5432/shop?sslmode=verify-full&sslpassword={MASK}",
        f"http://evil.example/{SHOWN}",
        f"{SHOWN}#@evil.example",
        MASK,
    ],
)
def test_asterisks_never_lead_a_password_elsewhere(url: str) -> None:
    with pytest.raises(BadInput) as refusal:
        after(url=url)
    (fault,) = refusal.value.faults
    assert fault.field == "url" and "enter the secret too" in fault.message
    assert "geheim" not in fault.message and "zwei" not in fault.message


@pytest.mark.parametrize(
    ("stored", "given", "name"),
    [
        (
            {"base_url": "https://api.example/v1", "password": "geheim"},
            {"base_url": "https://evil.example/v1"},
            "password",
        ),
        ({"base_url": "https://api.example/v1", "password": "geheim"}, {}, "password"),
        ({"host": "db", "password": "geheim"}, {"host": "evil", "password": MASK}, "password"),
        ({"db_host": "db", "port": 1, "password": "geheim"}, {"db_host": "db", "port": 2}, "password"),
        ({"user": "ann", "password": "geheim"}, {"user": "bob"}, "password"),
        ({"url": "x://a:pw@h/", "password": "geheim"}, {"url": "x://a:new@evil/"}, "password"),
    ],
)
def test_a_secret_of_its_own_does_not_follow_to_another_address(
    stored: dict[str, Any], given: dict[str, Any], name: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        kept(given, stored, SECRET)
    assert [fault.field for fault in refusal.value.faults] == [name]
    assert "geheim" not in str(refusal.value)


def test_what_is_no_address_may_change_and_a_reference_is_no_secret() -> None:
    stored = {"base_url": "https://api.example/v1", "timeout": 3, "password": "geheim"}
    given = {"base_url": "https://api.example/v2", "timeout": 4}
    assert kept(given, stored, SECRET) == given | {"password": "geheim"}
    stored = {"host": "db", "password": "${PW}"}
    assert kept({"host": "other"}, stored, SECRET) == {"host": "other", "password": "${PW}"}


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("file:/run/secrets/url", "file:/run/secrets/url"),
        ("postgresql://u:${file:/run/secrets/pw}@h/d", "postgresql://u:${file:/run/secrets/pw}@h/d"),
        ("postgresql://u:file:/run/secrets/pw@h/d", f"postgresql://u:{MASK}@h/d"),
        ("${A}${B}", "${A}${B}"),
        ("$${A}", MASK),
        ("${A}x", MASK),
        ("https://h/?api_key=k&Token=t&x=1", f"https://h/?api_key={MASK}&Token={MASK}&x=1"),
    ],
)
def test_references_are_shown_and_secrets_are_not(plain: str, shown: str) -> None:
    assert masked({"url": plain}, SECRET) == {"url": shown}


def test_airflow_cve_2025_54831_secrets_shown_to_whoever_may_read(
    make_client: MakeClient, store: Store, client: TestClient
) -> None:
    """Its API showed a connection's sensitive fields to users who may only read. Here nobody gets them."""
    draft = {"id": "attic", "type": "shelf", "url": "shelf://ann:geheim@attic/", "password": "geheim-too"}
    assert client.post("/api/connections", json=draft).status_code == 201
    guarded = make_client(auth_token="t" * 32)
    for scope in Scope:
        _, token = store.tokens.create(f"of {scope}", scope, None, "a test")
        for path in ("/api/connections", "/api/connections/attic", "/api/audit", "/api/export", "/api/connectors"):
            answer = guarded.get(path, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code in (200, 403), answer.text
            assert "geheim" not in answer.text
