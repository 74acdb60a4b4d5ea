"""Connections over the API: secrets go in and never come out, whatever is asked."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

import worker.connectors
from app.api.masking import MASK, kept, masked
from app.routes import ROUTES
from worker.connectors.protocol import ConnectorSettings
from worker.errors import BadInput
from worker.store import Store

PASSWORD = "hunter2/with@signs"
TOKEN = "tok-3fA9"
URL = f"shelf://reader:{PASSWORD}@attic.example:7/books?sslpassword={TOKEN}&room=1"
SHOWN = f"shelf://reader:{MASK}@attic.example:7/books?sslpassword={MASK}&room=1"
DRAFT = {"id": "attic", "type": "shelf", "url": URL, "password": "s3cr3t-too", "room": "cellar"}
SECRET = frozenset({"url", "password"})
FIRST = {"If-Match": '"1"'}

Answer = dict[str, Any]


@pytest.fixture
def attic(client: TestClient) -> Answer:
    answer = client.post("/api/connections", json=DRAFT)
    assert answer.status_code == 201, answer.text
    said: Answer = answer.json()
    return said


def stored(store: Store, client: TestClient) -> dict[str, Any]:
    """The settings as the worker would get them."""
    vault = client.app.state.feed._context.vault  # type: ignore[attr-defined]
    return store.connections(vault).get("attic").settings


def test_a_connection_is_shown_without_its_secrets(client: TestClient, attic: Answer) -> None:
    assert attic["url"] == SHOWN and attic["password"] == MASK and attic["room"] == "cellar"
    answer = client.get("/api/connections/attic")
    assert answer.json() == attic and answer.headers["etag"] == '"1"'
    listed = client.get("/api/connections").json()
    assert (listed["items"], listed["next"]) == ([attic], None)


def test_a_list_names_the_first_jobs_that_use_each_connection(client: TestClient, attic: Answer) -> None:
    client.post("/api/connections", json={**DRAFT, "id": "cellar"})
    client.post("/api/connections", json={**DRAFT, "id": "unused"})
    for name, source in (("e", "attic"), ("d", "cellar"), ("c", "cellar"), ("b", "cellar"), ("a", "attic")):
        draft = {"id": name, "source": source, "destination": "attic", "streams": [{"name": "main/books"}]}
        assert client.post("/api/jobs", json=draft).status_code == 201
    assert client.get("/api/connections").json()["used_by"] == {
        "attic": {"jobs": ["a", "b", "c"], "count": 5},  # once each, though two both read from it and write to it
        "cellar": {"jobs": ["b", "c", "d"], "count": 3},
    }


def test_no_answer_holds_a_secret(client: TestClient, attic: Answer, store: Store) -> None:
    draft = {"id": "orders", "source": "attic", "destination": "attic", "streams": [{"name": "main/books"}]}
    client.post("/api/jobs", json=draft)
    client.put("/api/connections/attic", json={**attic, "trouble": "password refused"}, headers=FIRST)
    asked = 0
    for operation in ROUTES:
        if operation.path == "/api/events":
            continue  # told from the same shapes; it would not end
        path = operation.path.replace("{name:path}", "main/books")
        path = path.replace("{id}", "orders" if "/jobs/" in path else "attic")
        body = None if operation.method in {"GET", "DELETE"} else {"url": "shelf://changed"}
        answer = client.request(operation.method, path, json=body, headers={"If-Match": '"7"'})
        for secret in (PASSWORD, TOKEN, "s3cr3t-too"):
            assert secret not in answer.text + str(answer.headers), operation
        asked += 1
    assert asked == len(ROUTES) - 1
    assert not any(secret in str(list(store.database["connections"].find())) for secret in (PASSWORD, TOKEN))


@pytest.mark.parametrize(
    ("change", "url", "password"),
    [
        ({}, URL, "s3cr3t-too"),
        ({"url": SHOWN, "password": MASK}, URL, "s3cr3t-too"),
        (
            {"url": "shelf://new:pw@attic", "password": "entered again"},
            "shelf://new:pw@attic",
            "entered again",
        ),
        ({"password": None}, URL, None),
    ],
)
def test_a_secret_stays_unless_it_is_changed(
    client: TestClient, attic: Answer, store: Store, change: Answer, url: str, password: str | None
) -> None:
    patched = client.patch("/api/connections/attic", json=change, headers=FIRST)
    assert patched.status_code == 200, patched.text
    change = {} if "again" in str(password) else change  # once it is saved, it need not be entered any more
    assert (stored(store, client)["url"], stored(store, client).get("password")) == (url, password)
    put = client.put("/api/connections/attic", json={"type": "shelf", **change}, headers={"If-Match": '"2"'})
    assert put.status_code == 200
    assert (stored(store, client)["url"], stored(store, client).get("password")) == (url, password)
    assert "room" not in put.json()


def test_a_stored_password_does_not_move_to_another_host(client: TestClient, attic: Answer, store: Store) -> None:
    url = SHOWN.replace("attic.example", "evil.example")
    answer = client.patch("/api/connections/attic", json={"url": url}, headers=FIRST)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "url"
    assert stored(store, client)["url"] == URL


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_needs_the_current_revision(client: TestClient, attic: Answer, method: str) -> None:
    body = None if method == "DELETE" else attic
    assert client.request(method, "/api/connections/attic", json=body).status_code == 428
    stale = client.request(method, "/api/connections/attic", json=body, headers={"If-Match": '"7"'})
    assert stale.status_code == 412 and stale.json()["current"]["url"] == SHOWN
    fresh = client.request(method, "/api/connections/attic", json=body, headers=FIRST)
    assert fresh.status_code == (204 if method == "DELETE" else 200)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "nothing"}, "type"),
        ({"type": None}, "type"),
        ({"colour": "red"}, "colour"),
        ({"room": 7}, "room"),
        ({"id": "Not An Id"}, ""),
        ({"url": None}, "url"),
    ],
)
def test_every_mistake_is_named_without_its_value(client: TestClient, change: Answer, field: str) -> None:
    answer = client.post("/api/connections", json=DRAFT | change)
    assert answer.status_code == 422
    assert field in [fault["field"] for fault in answer.json()["errors"]] or not field
    assert "hunter2" not in answer.text


def test_an_id_is_taken_once_and_kept_while_it_is_used(client: TestClient, attic: Answer) -> None:
    assert client.post("/api/connections", json=DRAFT).status_code == 409
    draft = {"id": "orders", "source": "attic", "destination": "attic", "streams": [{"name": "main/books"}]}
    client.post("/api/jobs", json=draft)
    answer = client.delete("/api/connections/attic", headers=FIRST)
    assert answer.status_code == 409 and "orders" in answer.json()["detail"]


def test_a_connection_that_a_file_keeps_is_changed_there(client: TestClient, attic: Answer, store: Store) -> None:
    store.database["connections"].update_one({"_id": "attic"}, {"$set": {"owner": "/etc/jobs.yaml"}})
    answer = client.patch("/api/connections/attic", json={"room": "attic"}, headers=FIRST)
    assert answer.status_code == 409 and "/etc/jobs.yaml" in answer.json()["detail"]


def test_a_secret_that_no_key_opens_is_told_and_entered_again(client: TestClient, attic: Answer, store: Store) -> None:
    store.database["connections"].update_one({}, {"$set": {"settings.url.sealed.key": "gone"}})
    (listed,) = client.get("/api/connections").json()["items"]
    assert listed["url"] == listed["password"] == MASK and listed["room"] == "cellar"
    tried = client.post("/api/connections/attic/test").json()
    assert tried["ok"] is False and "SECRET_KEY" in tried["message"] and tried["hint"]
    assert client.put("/api/connections/attic", json=listed, headers=FIRST).status_code == 422
    assert client.put("/api/connections/attic", json=DRAFT, headers=FIRST).json()["url"] == SHOWN
    assert stored(store, client)["url"] == URL


def test_a_connection_of_an_unknown_connector_shows_no_setting(client: TestClient, attic: Answer, store: Store) -> None:
    store.database["connections"].update_one({}, {"$set": {"type": "of-a-later-version"}})
    (listed,) = client.get("/api/connections").json()["items"]
    assert listed["url"] == SHOWN and listed["room"] == listed["password"] == MASK
    assert client.delete("/api/connections/attic", headers=FIRST).status_code == 204


def test_a_reference_is_shown_and_filled_in_only_when_used(client: TestClient) -> None:
    draft = {"id": "attic", "type": "shelf", "url": "${SHELF_URL}", "password": "${SHELF_PASSWORD}"}
    said = client.post("/api/connections", json=draft).json()
    assert said["url"] == "${SHELF_URL}" and said["password"] == "${SHELF_PASSWORD}"
    tried = client.post("/api/connections/attic/test").json()
    assert tried["ok"] is False and "SHELF_URL" in tried["message"]


def test_a_test_says_which_step_failed_and_what_to_do(client: TestClient) -> None:
    draft = {"id": "attic", "type": "shelf", "url": "shelf://x:pw12345@attic", "trouble": "the shelf fell"}
    client.post("/api/connections", json=draft)
    said = client.post("/api/connections/attic/test").json()
    assert said["ok"] is False and said["step"] == "query" and said["hint"] and "the shelf fell" in said["message"]
    assert "pw12345" not in said["message"] and said["ms"] >= 0
    assert said["steps"] == [{"step": "query", "ms": said["steps"][0]["ms"], "ok": False, "end": "source"}]
    assert (said["reads"], said["writes"]) == (False, None)


def test_a_connection_that_works_says_so(client: TestClient) -> None:
    client.post("/api/connections", json={"id": "attic", "type": "shelf", "url": "shelf://attic"})
    said = client.post("/api/connections/attic/test", json={"end": "source"}).json()
    assert said["ok"] is True and said["hint"] is None and said["reads"] is True
    assert client.post("/api/connections/attic/test", json={"end": "middle"}).status_code == 422


def test_a_draft_is_tried_before_it_is_saved(client: TestClient, store: Store) -> None:
    draft = {"type": "shelf", "url": "shelf://x:pw12345@attic"}
    assert client.post("/api/connections/test", json=draft).json()["ok"] is True
    wrong = client.post("/api/connections/test", json=draft | {"trouble": "it fell"})
    assert wrong.json()["ok"] is False and "pw12345" not in wrong.text
    assert client.post("/api/connections/test", json={"type": "nothing"}).status_code == 422
    assert client.post("/api/connections/test", json=draft | {"id": 7}).json()["errors"][0]["field"] == "id"
    assert store.database["connections"].count_documents({}) == 0


def test_a_draft_of_a_saved_connection_has_its_secrets_where_it_was(client: TestClient, attic: Answer) -> None:
    draft = {"id": "attic", "type": "shelf", "trouble": "as seen"}
    said = client.post("/api/connections/test", json=draft).json()
    assert said["ok"] is False and f"as seen ({SHOWN.partition('@')[0]}"[:12] in said["message"]
    moved = client.post("/api/connections/test", json=draft | {"url": SHOWN.replace("attic.example", "evil.example")})
    assert moved.status_code == 422 and moved.json()["errors"][0]["field"] == "url"


def test_a_connection_may_be_named_test(client: TestClient) -> None:
    draft = {"id": "test", "type": "shelf", "url": "shelf://attic"}
    assert client.post("/api/connections", json=draft).status_code == 201
    assert client.get("/api/connections/test").json()["id"] == "test"
    assert client.post("/api/connections/test/test").json()["ok"] is True
    assert client.request("DELETE", "/api/connections/test", headers=FIRST).status_code == 204


def test_streams_are_discovered(client: TestClient, attic: Answer) -> None:
    authors, books = client.get("/api/connections/attic/streams").json()["items"]
    assert authors["name"] == "authors" and authors["rows"] is None
    assert books["columns"][0] == {"name": "id", "type": "integer", "nullable": False}
    assert books["key"] == ["id"] and books["cursor"] == "id" and books["rows"] == 3
    page = client.get("/api/connections/attic/streams?limit=1").json()
    assert page["next"] == "authors" and len(page["items"]) == 1


def test_a_preview_shows_the_first_rows_and_rounds_nothing(client: TestClient, attic: Answer) -> None:
    said = client.get("/api/connections/attic/streams/main/books/preview?limit=2").json()
    assert said["columns"] == ["id", "title", "size", "cover"]
    assert said["rows"][0] == {"id": 1, "title": "Book 1", "size": str(2**60), "cover": "/wA="}
    assert len(said["rows"]) == 2
    assert client.get("/api/connections/attic/streams/nothing/preview").status_code == 404


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("postgresql://u:p@h/d", f"postgresql://u:{MASK}@h/d"),
        ("postgresql://u:a:b@c@h/d", f"postgresql://u:{MASK}@h/d"),
        ("postgresql://u:a/b?c#d@h/d", f"postgresql://u:{MASK}@h/d"),
        ("postgresql://h/d?user=u&password=p", f"postgresql://h/d?user=u&password={MASK}"),
        ("postgresql://h/d?p%61ssword=p", f"postgresql://h/d?p%61ssword={MASK}"),
        ("mongodb://u:p@a:1,b:2/d?tls=true", f"mongodb://u:{MASK}@a:1,b:2/d?tls=true"),
        ("postgresql://u:${PW}@h/d", "postgresql://u:${PW}@h/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("host=h password=p", MASK),
        ("${URL}", "${URL}"),
        ("${URL}x", MASK),
        ("", MASK),
        (None, None),
        ({"a": "b"}, MASK),
    ],
)
def test_what_is_secret_in_a_setting_is_masked(plain: Any, shown: Any) -> None:
    assert masked({"url": plain}, SECRET) == {"url": shown}


def test_the_mask_of_nothing_is_no_secret() -> None:
    with pytest.raises(BadInput, match="enter the secret"):
        kept({"password": MASK}, {}, SECRET)


def test_every_secret_of_every_connector_is_declared() -> None:
    """A setting that is named like a secret, and is not declared as one, would be shown."""
    for module in pkgutil.iter_modules(worker.connectors.__path__, "worker.connectors."):
        importlib.import_module(module.name)
    assert len(ConnectorSettings.__subclasses__()) > 3
    named = re.compile(r"pass|secret|token|url", re.IGNORECASE)
    for settings in ConnectorSettings.__subclasses__():
        wrong = {name for name in settings.model_fields if named.search(name)} - settings.secret_fields()
        assert not wrong, settings
