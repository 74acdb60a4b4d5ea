"""What the environment may say: every fault at once, no secret repeated, no open door by accident."""

from __future__ import annotations

import pytest

from app.settings import load, loopback, weaknesses
from worker import settings as worker_settings
from worker.errors import BadConfiguration

PRODUCTION = {
    "APP_ENV": "production",
    "MONGO_URL": "mongodb://db.example/sync",
    "SECRET_KEY": "0123456789abcdef",
    "AUTH_TOKEN": "let-me-in",
}


def faults(env: dict[str, str]) -> dict[str, str]:
    with pytest.raises(BadConfiguration) as refusal:
        load(env)
    return {fault.field: fault.message for fault in refusal.value.faults}


def test_nothing_set_is_development_on_loopback() -> None:
    settings = load({})
    assert not settings.production
    assert settings.url == "http://127.0.0.1:8080/"
    assert settings.worker.mongo_url is None


def test_production_as_it_should_be() -> None:
    settings = load(PRODUCTION)
    assert settings.production
    assert settings.worker.mongo_database == "sync"
    assert settings.worker.log_format == "json"


@pytest.mark.parametrize(
    ("app_env", "node_env", "production"),
    [
        (None, None, False),
        ("production", None, True),
        ("development", None, False),
        (None, "production", True),
        (None, "development", False),
        (None, "test", False),
        ("development", "production", False),
        ("production", "development", True),
        ("", "production", True),
        ("PRODUCTION", None, True),
    ],
)
def test_app_env_wins_over_node_env(app_env: str | None, node_env: str | None, production: bool) -> None:
    named = {"APP_ENV": app_env, "NODE_ENV": node_env}
    env = {**PRODUCTION, **{name: value for name, value in named.items() if value is not None}}
    if app_env is None:
        del env["APP_ENV"]
    assert load(env).production is production


@pytest.mark.parametrize(
    ("production", "flag", "inside"),
    [
        (False, None, False),
        (False, "true", True),
        (False, "false", False),
        (True, None, True),
        (True, "true", True),
        (True, "false", False),
    ],
)
def test_where_the_worker_runs(production: bool, flag: str | None, inside: bool) -> None:
    env = dict(PRODUCTION) if production else {}
    if flag:
        env["ENABLE_SYNC_WORKER"] = flag
    assert load(env).worker_inside is inside


def test_every_bad_value_is_named_at_once_with_what_is_allowed() -> None:
    found = faults(
        {
            "APP_ENV": "staging",
            "PORT": "http",
            "HOST": "http://x",
            "LEASE_TTL": "0.5",
            "WORKER_CONCURRENCY": "65",
            "RUN_ISOLATION": "container",
            "ENABLE_SYNC_WORKER": "perhaps",
            "ALLOW_NETWORKS": "10.0.0.0/8, everything",
            "LOG_LEVEL": "loud",
            "AUTH": "maybe",
            "SECRET_KEY": "short",
            "MONGO_URL": "postgres://x",
        }
    )
    assert set(found) >= {
        *("APP_ENV", "PORT", "HOST", "LEASE_TTL", "WORKER_CONCURRENCY", "RUN_ISOLATION"),
        *("ENABLE_SYNC_WORKER", "ALLOW_NETWORKS", "LOG_LEVEL", "AUTH", "SECRET_KEY", "MONGO_URL"),
    }
    assert found["PORT"] == "is 'http'; allowed: a whole number from 1 to 65535"
    assert "staging" in found["APP_ENV"]
    assert "development, production" in found["APP_ENV"]
    assert "everything" in found["ALLOW_NETWORKS"]


def test_a_worker_that_runs_alone_refuses_networks_that_are_none() -> None:
    with pytest.raises(BadConfiguration, match=r"ALLOW_NETWORKS: names 'everything'; allowed: networks"):
        worker_settings.load({"ALLOW_NETWORKS": "10.0.0.0/8, everything"})
    assert len(faults({"ALLOW_NETWORKS": "everything"})) == 1


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"HOST": "[::1]", "PORT": "99"}, "http://[::1]:99"),
        ({"HOST": "localhost"}, "http://localhost:8080"),
        ({"HOST": "0.0.0.0"}, None),
        ({"HOST": "0.0.0.0", "PUBLIC_URL": "https://sync.example.com/sub/"}, "https://sync.example.com/sub"),
        ({"PUBLIC_URL": "http://10.0.0.1:8080"}, "http://10.0.0.1:8080"),
    ],
)
def test_links_lead_to_where_people_reach_the_dashboard(env: dict[str, str], url: str | None) -> None:
    assert worker_settings.load(env).public_url == url


@pytest.mark.parametrize(
    "url",
    [
        *("sync.example.com", "ftp://sync.example.com", "https://", "https://u:hush@x.example", "https://x:port/"),
        *("https://x/?a=b", "https://x/#a", "https://x/ y", "https://x/|y", "https://x/<y>", "https://[::1"),
    ],
)
def test_what_is_no_address_of_a_dashboard_is_refused(url: str) -> None:
    said = faults({"PUBLIC_URL": url})["PUBLIC_URL"]
    assert "allowed: http:// or https://, a host" in said and "hush" not in said


@pytest.mark.parametrize(
    "url", ["mongodb://user:pa/ss@host/db", "mongodb://user:hush@host:port/", "mongodb://u:hush@h@x/", "mongodb://"]
)
def test_a_bad_url_is_refused_without_a_part_of_its_password(url: str) -> None:
    text = str(faults({"MONGO_URL": url}))
    assert "MONGO_URL" in text
    for part in ("pa", "ss", "hush"):
        assert part not in text.replace("password", "").replace("percent", "").replace("passed", "")


def test_no_secret_is_in_a_fault_or_in_what_settings_print() -> None:
    secret = "tooshort"
    assert secret not in str(faults({"SECRET_KEY": secret, "PORT": "x", "AUTH_TOKEN": "hidden-token"}))
    settings = load({"AUTH_TOKEN": "hidden-token", "ADMIN_PASSWORD": "hidden-password"})
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("env", "refused"),
    [
        ({}, False),
        ({"HOST": "::1"}, False),
        ({"HOST": "[::1]"}, False),
        ({"HOST": "localhost"}, False),
        ({"HOST": "0.0.0.0"}, True),
        ({"HOST": "192.0.2.1"}, True),
        ({"HOST": "example.org"}, True),
        ({"HOST": "0.0.0.0", "AUTH_TOKEN": "x"}, False),
        ({"HOST": "0.0.0.0", "ADMIN_PASSWORD": "x"}, False),
        ({"HOST": "0.0.0.0", "AUTH": "none"}, False),
        ({**PRODUCTION, "AUTH_TOKEN": ""}, True),
        ({**PRODUCTION, "AUTH_TOKEN": "", "AUTH": "none"}, False),
        ({**PRODUCTION, "AUTH_TOKEN": "", "ADMIN_PASSWORD": "x", "HOST": "0.0.0.0"}, False),
    ],
)
def test_no_door_stands_open_by_accident(env: dict[str, str], refused: bool) -> None:
    if not refused:
        load(env)
        return
    assert "AUTH=none" in faults(env)["AUTH_TOKEN"]


def test_production_refuses_to_start_without_database_or_key() -> None:
    found = faults({"APP_ENV": "production", "AUTH": "none"})
    assert set(found) == {"MONGO_URL", "SECRET_KEY"}


def test_production_may_ask_for_the_embedded_database() -> None:
    env = {**PRODUCTION, "EMBEDDED_MONGO": "true", "MONGO_URL": ""}
    assert load(env).worker.mongo_url is None


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("LOCALHOST", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback(host: str, is_loopback: bool) -> None:
    assert loopback(host) is is_loopback


HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"


@pytest.mark.parametrize(
    ("password", "good"),
    [
        (HASH, True),
        ("a plain password", True),
        ("$money$ in the bank", True),
        (HASH.replace("argon2id", "argon2i"), False),
        (HASH[:40], False),
        ("$argon2id$nothing", False),
        ("$2b$12$abcdefghijklmnopqrstuu", False),
        ("$6$salt$hash", False),
        (HASH.replace("m=65536", "m=99999999"), False),
    ],
)
def test_a_hash_that_could_let_nobody_in_is_refused(password: str, good: bool) -> None:
    """It would be taken for a plain password, and every login fail without a reason."""
    if good:
        assert load({"ADMIN_PASSWORD": password}).admin_password == password
    else:
        message = faults({"ADMIN_PASSWORD": password})["ADMIN_PASSWORD"]
        assert "hash-password" in message and password not in message


def test_names_and_proxies_are_lists() -> None:
    settings = load({"ALLOWED_HOSTS": "Sync.Example, *.team.example", "TRUSTED_PROXIES": "10.1.2.3 fd00::/8"})
    assert settings.allowed_hosts == ("sync.example", "*.team.example")
    assert settings.trusted_proxies == ("10.1.2.3/32", "fd00::/8")


@pytest.mark.parametrize(
    "name", ["https://sync.example", "sync.example:8080", "*", "*.", "a..b", "sync.example/", "a*b"]
)
def test_what_is_no_name_of_a_host_is_refused(name: str) -> None:
    assert name in faults({"ALLOWED_HOSTS": f"good.example,{name}"})["ALLOWED_HOSTS"]


def test_what_is_no_network_of_a_proxy_is_refused() -> None:
    assert "everything" in faults({"TRUSTED_PROXIES": "everything"})["TRUSTED_PROXIES"]


@pytest.mark.parametrize(
    ("env", "told"),
    [
        (PRODUCTION | {"AUTH_TOKEN": "short"}, "AUTH_TOKEN"),
        (PRODUCTION | {"ADMIN_PASSWORD": "short"}, "ADMIN_PASSWORD"),
        (PRODUCTION | {"AUTH_TOKEN": "", "AUTH": "none"}, "AUTH=none"),
        ({"HOST": "0.0.0.0", "AUTH": "none"}, "AUTH=none"),
        (PRODUCTION | {"AUTH_TOKEN": "0123456789abcdef"}, None),
        ({}, None),
    ],
)
def test_what_is_weak_is_allowed_and_told(env: dict[str, str], told: str | None) -> None:
    found = weaknesses(load(env))
    assert any(text.startswith(told) for text in found) if told else found == []
    assert not any("short" in text for text in found)
