"""Ids are texts: an operator object in their place reaches no query of the database, on whatever route."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from app.api.operation import Operation
from app.routes import ROUTES
from worker.store import Store

OPERATORS: tuple[Any, ...] = ({"$gt": ""}, {"$ne": None}, {"$regex": ".*"}, ["orders"], {"$where": "true"}, 7, True)
WITH_ID = [one for one in ROUTES if "{" in one.path]
WITH_QUERY = [one for one in ROUTES if one.query is not None and one.path != "/api/events"]
WITH_BODY = [one for one in ROUTES if one.body is not None]


def named(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def filled(path: str, value: str) -> str:
    for name in ("{id}", "{name:path}", "{name}", "{key}"):
        path = path.replace(name, quote(value, safe=""))
    return path


@pytest.mark.parametrize("operation", WITH_ID, ids=named)
def test_an_operator_as_an_id_in_the_path_finds_nothing(
    client: TestClient, job: dict[str, Any], store: Store, operation: Operation
) -> None:
    before = list(store.database["jobs"].find()), list(store.database["connections"].find())
    body: dict[str, Any] | None = {"streams": []} if operation.body is not None else None
    for given in ('{"$gt":""}', "[$ne]", "$gt", '{"$regex":".*"}'):
        answer = client.request(operation.method, filled(operation.path, given), json=body, headers={"If-Match": '"1"'})
        assert answer.status_code in (404, 422), (given, answer.text)
    assert (list(store.database["jobs"].find()), list(store.database["connections"].find())) == before


@pytest.mark.parametrize("operation", WITH_QUERY, ids=named)
def test_an_operator_in_the_query_is_an_unknown_field(
    client: TestClient, job: dict[str, Any], operation: Operation
) -> None:
    assert operation.query is not None
    path = filled(operation.path, "orders" if "/jobs/" in operation.path else "attic")
    for name in operation.query.model_fields:
        for operator in ("$ne", "$gt", "$regex", "$where"):
            answer = client.request(operation.method, f"{path}?{name}[{operator}]=x")
            assert answer.status_code == 422, (name, answer.text)
            assert f"{name}[{operator}]" in answer.text


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_an_operator_as_an_id_in_a_body_is_refused_and_named(
    client: TestClient, job: dict[str, Any], operation: Operation, store: Store
) -> None:
    path = filled(operation.path, "orders" if "/jobs/" in operation.path else "attic")
    assert client.post("/api/alerts", json={"id": "attic", "url": "https://chat.example/room"}).status_code == 201
    before = list(store.database["jobs"].find()), list(store.database["connections"].find())
    for name in ("id", "source", "destination", "stream", "type", "name", "job", "run"):
        for operator in OPERATORS:
            body = {"id": "new", "source": "attic", "destination": "attic", "streams": [{"name": "main/books"}]}
            answer = client.request(operation.method, path, json=body | {name: operator}, headers={"If-Match": '"1"'})
            assert answer.status_code == 422, (name, operator, answer.status_code, answer.text)
    assert (list(store.database["jobs"].find()), list(store.database["connections"].find())) == before
