"""Alerts over the API: what is saved and shown, what stays secret, and messages tried on their real way."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from app.api.masking import MASK
from app.api.wire import AlertKind
from app.routes import ROUTES
from tests.app.api.conftest import MakeClient
from worker.access import Scope
from worker.alert import Kind
from worker.store import Store
from worker.vault import Vault

PATH = "/services/T024/B0/uyJx3rtmWqzKpdv8"
URL = f"https://hooks.example.com{PATH}"
SECRET = "a secret that signs, geheim"
DRAFT = {"id": "chat", "url": URL, "secret": SECRET, "failures": 3, "stale": "2h"}
FIRST = {"If-Match": '"1"'}

Answer = dict[str, Any]


@pytest.fixture
def chat(client: TestClient) -> Answer:
    answer = client.post("/api/alerts", json=DRAFT)
    assert answer.status_code == 201, answer.text
    said: Answer = answer.json()
    return said


def stored(store: Store, vault: Vault) -> tuple[str, str | None]:
    """The URL and the secret as the sender would get them."""
    alert = store.alerts(vault).get("chat")
    return alert.url, alert.secret


def faults(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [f"{fault['field']} {fault['message']}".strip() for fault in answer.json()["errors"]]


# What is shown.


def test_an_alert_is_shown_without_its_secrets_and_with_the_server_that_it_leads_to(
    client: TestClient, chat: Answer
) -> None:
    plain = {name: value for name, value in chat.items() if name not in ("created_at", "updated_at")}
    assert plain == {
        "id": "chat",
        "url": MASK,
        "host": "hooks.example.com",
        "format": "json",
        "secret": MASK,
        "jobs": None,
        "missing_jobs": [],
        "failures": 3,
        "recovery": True,
        "held": True,
        "stale": "2h",
        "enabled": True,
        "owner": None,
        "revision": 1,
        "delivery": {
            "waiting": 0,
            "given_up": 0,
            "last_sent_at": None,
            "last_error": None,
            "last_error_at": None,
            "next_try_at": None,
        },
    }
    answer = client.get("/api/alerts/chat")
    assert answer.json() == chat and answer.headers["etag"] == '"1"'
    assert client.get("/api/alerts").json() == {"items": [chat], "next": None}
    assert client.get("/api/alerts/none").status_code == 404


def test_references_are_shown_as_they_are(client: TestClient) -> None:
    said = client.post("/api/alerts", json={"id": "a", "url": "${CHAT_URL}", "secret": "${CHAT_SECRET}"}).json()
    assert (said["url"], said["host"], said["secret"]) == ("${CHAT_URL}", None, "${CHAT_SECRET}")
    said = client.post("/api/alerts", json={"id": "b", "url": "https://h.example:8443/${REST}"}).json()
    assert (said["url"], said["host"], said["secret"]) == ("https://h.example:8443/${REST}", "h.example:8443", None)


def test_alerts_come_by_page(client: TestClient) -> None:
    for name in "cab":
        client.post("/api/alerts", json={"id": name, "url": URL})
    page = client.get("/api/alerts?limit=2").json()
    assert ([one["id"] for one in page["items"]], page["next"]) == (["a", "b"], "b")
    page = client.get("/api/alerts?limit=2&after=b").json()
    assert ([one["id"] for one in page["items"]], page["next"]) == (["c"], None)


def test_no_answer_holds_a_secret(client: TestClient, chat: Answer, store: Store) -> None:
    client.put("/api/alerts/chat", json={**chat, "failures": 2}, headers=FIRST)
    asked = 0
    for operation in ROUTES:
        if operation.path == "/api/events":
            continue
        body = None if operation.method in {"GET", "DELETE"} else {"url": URL.replace("https", "ftp"), "secret": "x"}
        path = operation.path.replace("{name:path}", "x").replace("{id}", "chat")
        answer = client.request(operation.method, path, json=body, headers={"If-Match": '"7"'})
        assert "uyJx3" not in answer.text + str(answer.headers) and "geheim" not in answer.text, operation
        asked += 1
    assert asked == len(ROUTES) - 1
    said = str([list(store.database[name].find()) for name in ("alerts", "audit")])
    assert "uyJx3" not in said and "geheim" not in said


def test_the_kinds_of_the_description_are_those_that_are_told() -> None:
    assert set(get_args(AlertKind)) == set(Kind)


# What is saved.


def test_off_and_never_are_null(client: TestClient, chat: Answer) -> None:
    said = client.patch("/api/alerts/chat", json={"failures": None, "stale": None}, headers=FIRST).json()
    assert (said["failures"], said["stale"], said["held"]) == (None, None, True)
    again = client.put("/api/alerts/chat", json=said, headers={"If-Match": '"2"'})
    assert again.status_code == 200 and again.json()["failures"] is None
    text = client.put("/api/alerts/chat", json={"failures": "off"}, headers={"If-Match": '"3"'}).json()
    assert text["failures"] is None
    default = client.put("/api/alerts/chat", json={}, headers={"If-Match": '"4"'}).json()
    assert default["failures"] == 1 and default["stale"] is None


def test_a_patch_changes_what_it_names_and_no_more(client: TestClient, job: Answer, store: Store, vault: Vault) -> None:
    client.post("/api/alerts", json=DRAFT | {"jobs": ["orders"], "recovery": False})
    said = client.patch("/api/alerts/chat", json={"enabled": False, "jobs": None}, headers=FIRST).json()
    assert (said["enabled"], said["jobs"], said["failures"], said["recovery"]) == (False, None, 3, False)
    assert stored(store, vault) == (URL, SECRET)


@pytest.mark.parametrize(
    ("change", "url", "secret"),
    [
        ({}, URL, SECRET),
        ({"url": MASK, "secret": MASK}, URL, SECRET),
        ({"url": URL + "x"}, URL + "x", SECRET),
        (
            {"url": "https://evil.example/", "secret": "entered again, long"},
            "https://evil.example/",
            "entered again, long",
        ),
        ({"url": "https://evil.example/", "secret": None}, "https://evil.example/", None),
        ({"secret": None}, URL, None),
        ({"secret": None, "format": "slack"}, URL, None),
    ],
)
def test_a_secret_stays_unless_it_is_changed(
    client: TestClient, chat: Answer, store: Store, vault: Vault, change: Answer, url: str, secret: str | None
) -> None:
    for method, revision in (("PATCH", "1"), ("PUT", "2")):
        answer = client.request(method, "/api/alerts/chat", json=change, headers={"If-Match": revision})
        assert answer.status_code == 200, answer.text
        assert stored(store, vault) == (url, secret)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/services/T024/B0/uyJx3rtmWqzKpdv8",
        "http://hooks.example.com/x",
        "https://hooks.example.com:8443/x",
        "https://hooks.example.com.evil.example/x",
        "https://hooks.example.com${REST}",
        "${ELSEWHERE}",
    ],
)
@pytest.mark.parametrize("secret", [{}, {"secret": MASK}])
def test_a_stored_secret_signs_nothing_for_another_server(
    client: TestClient, chat: Answer, store: Store, vault: Vault, url: str, secret: Answer
) -> None:
    wrong = ["secret does not follow to another url; enter it again"]
    body = {"url": url, **secret}
    assert faults(client.patch("/api/alerts/chat", json=body, headers=FIRST)) == wrong
    assert faults(client.put("/api/alerts/chat", json=body, headers=FIRST)) == wrong
    assert faults(client.post("/api/alerts/test", json={"id": "chat", **body})) == wrong
    assert stored(store, vault) == (URL, SECRET)


def test_asterisks_are_no_part_of_a_secret(client: TestClient, chat: Answer) -> None:
    for change in ({"url": f"https://hooks.example.com/{MASK}"}, {"secret": f"{MASK}{MASK}{MASK}"}):
        (said,) = faults(client.patch("/api/alerts/chat", json=change, headers=FIRST))
        assert said.endswith("has asterisks for a secret; enter it, or leave it out")
    assert faults(client.post("/api/alerts", json={"id": "new", "url": MASK}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": None}, "url is missing"),
        ({"url": f"ftp://h{PATH}"}, "url is no address of a web server"),
        ({"format": "slack"}, "secret does not go with format slack"),
        ({"jobs": ["nothing"]}, "jobs[0] is 'nothing', which is no job; there is none yet"),
        ({"jobs": []}, "jobs is empty"),
        ({"failures": 0}, "failures is 0; allowed: a whole number from 1 to 100, or off"),
        ({"stale": "1s"}, "stale is '1s'; allowed: 1m or more"),
        ({"colour": "red"}, "colour is not known here"),
        ({"id": 7}, "id is not a text"),
        ({"id": "Not An Id"}, "is no id"),
        ({"failures": None, "held": False, "stale": None}, "tells nothing"),
    ],
)
def test_every_mistake_is_named_without_a_secret(client: TestClient, change: Answer, said: str) -> None:
    answer = client.post("/api/alerts", json=DRAFT | change)
    (told,) = faults(answer)
    assert told.startswith(said)
    assert "uyJx3" not in answer.text and "geheim" not in answer.text


def test_a_job_that_is_gone_is_told_and_keeps_nobody_from_changing_the_rest(client: TestClient, job: Answer) -> None:
    client.post("/api/alerts", json=DRAFT | {"jobs": ["orders"]})
    client.delete("/api/jobs/orders", headers={"If-Match": "*"})
    said = client.get("/api/alerts/chat").json()
    assert (said["jobs"], said["missing_jobs"]) == (["orders"], ["orders"])
    assert client.patch("/api/alerts/chat", json={"enabled": False}, headers=FIRST).status_code == 200
    more = client.patch("/api/alerts/chat", json={"jobs": ["orders", "others"]}, headers={"If-Match": '"2"'})
    (fault,) = faults(more)
    assert fault.startswith("jobs[1] is 'others', which is no job")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_needs_the_current_revision(client: TestClient, chat: Answer, method: str) -> None:
    body = None if method == "DELETE" else chat
    assert client.request(method, "/api/alerts/chat", json=body).status_code == 428
    stale = client.request(method, "/api/alerts/chat", json=body, headers={"If-Match": '"7"'})
    assert stale.status_code == 412 and stale.json()["current"] == chat
    fresh = client.request(method, "/api/alerts/chat", json=body, headers=FIRST)
    assert fresh.status_code == (204 if method == "DELETE" else 200)


def test_an_id_is_taken_once_and_cannot_change(client: TestClient, chat: Answer) -> None:
    assert client.post("/api/alerts", json=DRAFT).status_code == 409
    assert faults(client.put("/api/alerts/chat", json={**chat, "id": "other"}, headers=FIRST)) == [
        "id is 'other'; an alert's id cannot change"
    ]


def test_an_alert_that_a_file_keeps_is_changed_there(client: TestClient, chat: Answer, store: Store) -> None:
    store.database["alerts"].update_one({"_id": "chat"}, {"$set": {"owner": "/etc/jobs.yaml"}})
    for method in ("PUT", "PATCH", "DELETE"):
        answer = client.request(method, "/api/alerts/chat", json={}, headers=FIRST)
        assert answer.status_code == 409 and "is kept by /etc/jobs.yaml; change it there" in answer.json()["detail"]
    planned = client.post("/api/plan", json={"text": f'version: 1\nalerts:\n  chat: {{url: "{URL}"}}\n'}).json()
    (change,) = planned["changes"]
    assert (change["kind"], change["id"], change["blocked"]) == (
        "alert",
        "chat",
        "alert chat is kept by /etc/jobs.yaml; change it there",
    )


def test_a_secret_that_no_key_opens_is_told_and_entered_again(
    client: TestClient, chat: Answer, store: Store, vault: Vault
) -> None:
    store.database["alerts"].update_one({}, {"$set": {"url.sealed.key": "gone", "secret.sealed.key": "gone"}})
    (listed,) = client.get("/api/alerts").json()["items"]
    assert (listed["url"], listed["secret"], listed["host"]) == (MASK, MASK, None)
    tried = client.post("/api/alerts/chat/test").json()
    assert tried["ok"] is False and "SECRET_KEY" in tried["message"]
    assert faults(client.put("/api/alerts/chat", json=listed, headers=FIRST)) == [
        "url is sealed under another SECRET_KEY; enter it again",
        "secret is sealed under another SECRET_KEY; enter it again",
    ]
    assert client.put("/api/alerts/chat", json=DRAFT, headers=FIRST).status_code == 200
    assert stored(store, vault) == (URL, SECRET)


def test_an_alert_that_was_broken_by_hand_is_mended_or_deleted(
    client: TestClient, chat: Answer, store: Store, vault: Vault
) -> None:
    for mend in (True, False):
        store.database["alerts"].update_one({}, {"$set": {"failures": "many"}})
        assert client.get("/api/alerts").json()["items"] == []
        assert client.get("/api/alerts/chat").status_code == 422
        if mend:
            assert client.put("/api/alerts/chat", json=DRAFT, headers=FIRST).status_code == 200
            assert stored(store, vault) == (URL, SECRET)
        else:
            assert client.delete("/api/alerts/chat", headers={"If-Match": "*"}).status_code == 204


def test_the_audit_tells_what_changed_and_no_secret(client: TestClient, chat: Answer, store: Store) -> None:
    changes: list[Answer] = [{"secret": "another that signs"}, {"url": URL + "x"}, {"failures": 5}, {"secret": "${S}"}]
    for change in changes:
        assert client.patch("/api/alerts/chat", json=change, headers={"If-Match": "*"}).status_code == 200
    client.delete("/api/alerts/chat", headers={"If-Match": "*"})
    found = client.get("/api/audit?subject=alerts").json()["items"][::-1]
    assert {one["subject"] for one in found} == {"alerts/chat"}
    assert [(one["action"], one["before"], one["after"]) for one in found] == [
        ("alert.create", None, {"url": MASK, "secret": MASK, "failures": 3, "stale": "2h"}),
        ("alert.update", {"secret": MASK}, {"secret": "changed"}),
        ("alert.update", {"url": MASK}, {"url": "changed"}),
        ("alert.update", {"failures": 3}, {"failures": 5}),
        ("alert.update", {"secret": MASK}, {"secret": "${S}"}),
        ("alert.delete", {"url": MASK, "secret": "${S}", "failures": 5, "stale": "2h"}, None),
    ]


def test_what_may_be_done_with_which_scope(make_client: MakeClient, store: Store) -> None:
    client = make_client(auth_token="a-token-of-the-tests")
    tokens = {scope: store.tokens.create(str(scope), scope, None, "the tests")[1] for scope in Scope}

    def ask(scope: Scope, method: str, path: str, body: Answer | None = None) -> int:
        headers = {"Authorization": f"Bearer {tokens[scope]}", "If-Match": "*"}
        return int(client.request(method, f"/api/alerts{path}", json=body, headers=headers).status_code)

    assert ask(Scope.OPERATE, "POST", "", DRAFT) == 403 and ask(Scope.ADMIN, "POST", "", DRAFT) == 201
    assert (
        ask(Scope.READ, "GET", "") == ask(Scope.READ, "GET", "/chat") == ask(Scope.READ, "GET", "/chat/events") == 200
    )
    assert ask(Scope.READ, "POST", "/chat/test") == 403
    assert ask(Scope.OPERATE, "POST", "/test", DRAFT) == 403
    assert ask(Scope.OPERATE, "PATCH", "/chat", {}) == ask(Scope.OPERATE, "DELETE", "/chat") == 403
