"""The settings that a process tells of are all that the documentation names, and no secret is among them."""

from __future__ import annotations

import re
from dataclasses import replace

from app.api.configuration import effective
from tests.app.api.conftest import SETTINGS, MakeClient
from tests.program import ROOT

SECRETS = {"auth_token": "a bearer token that is secret", "admin_password": "a password that is secret"}


def test_every_documented_variable_is_told_and_no_other(make_client: MakeClient) -> None:
    told = {one["name"] for one in make_client().get("/api/settings").json()["items"]}
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert told == documented


def test_a_secret_is_told_as_set(make_client: MakeClient) -> None:
    client = make_client(**SECRETS)
    headers = {"Authorization": f"Bearer {SECRETS['auth_token']}"}
    answer = client.get("/api/settings", headers=headers)
    told = {one["name"]: one["value"] for one in answer.json()["items"]}
    assert told["AUTH_TOKEN"] == told["ADMIN_PASSWORD"] == "set" and told["SECRET_KEY"] is None
    assert not any(secret in answer.text for secret in SECRETS.values())


def test_the_password_of_the_database_is_asterisks() -> None:
    url = "mongodb://sync:hush-hush@db.example:27017/sync"
    worker = replace(SETTINGS.worker, mongo_url=url, secret_keys=("k" * 20,))
    told = effective(replace(SETTINGS, worker=worker), {"ALLOW_NETWORKS": "10.0.0.0/8"})
    assert told["MONGO_URL"] == "mongodb://sync:********@db.example:27017/sync"
    assert told["SECRET_KEY"] == "set" and told["ALLOW_NETWORKS"] == "10.0.0.0/8" and told["JOBS_FILE"] is None
