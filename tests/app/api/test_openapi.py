"""The description of the API is complete, consistent, and what the server does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.openapi import describe
from app.routes import ROUTES

DOCUMENT = describe(ROUTES)
METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for one in node.values():
            yield from references(one)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


def test_the_server_hands_it_out(offline: TestClient) -> None:
    assert offline.get("/api/openapi.json").json() == DOCUMENT
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_route_is_in_it() -> None:
    described = {(method.upper(), path) for path, method, _ in operations()}
    routed = {(one.method, re.sub(r"\{(\w+):\w+\}", r"{\1}", one.path)) for one in ROUTES}
    assert described == routed
    assert {method for _, method, _ in operations()} <= METHODS


def test_every_operation_has_a_name_of_its_own_and_words() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    assert all(operation["summary"] and operation["description"] for _, _, operation in operations())


def test_every_reference_leads_somewhere_and_every_shape_is_used() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    found = {reference.removeprefix("#/components/schemas/") for reference in references(DOCUMENT)}
    assert found == set(schemas)


def test_every_parameter_in_a_path_is_described() -> None:
    for path, _, operation in operations():
        described = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert described == re.findall(r"\{(\w+)\}", path)
        assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")


def test_no_parameter_may_be_null_or_refer() -> None:
    parameters = [one for _, _, operation in operations() for one in operation["parameters"]]
    assert not list(references(parameters)) and "'null'" not in str(parameters)


def test_what_changes_a_document_wants_its_revision() -> None:
    for path, method, operation in operations():
        wants = any(one["name"] == "If-Match" and one["required"] for one in operation["parameters"])
        assert wants == (method in {"put", "patch", "delete"} and path != "/api/tokens/{id}"), path


def test_only_health_and_login_are_open() -> None:
    assert {path for path, _, operation in operations() if operation.get("security") == []} == {
        "/healthz", "/readyz", "/api/login",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/status", "/api/jobs", "/api/runs", "/api/instances"])
def test_answers_have_the_fields_that_are_described(client: TestClient, job: dict[str, Any], path: str) -> None:
    schema = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    described = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    answer = client.get(path).json()
    assert set(answer) <= set(described["properties"])
    assert set(described.get("required", [])) <= set(answer)


def test_the_page_on_the_api_names_every_operation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    missing = [
        f"{method.upper()} {path}" for path, method, _ in operations() if f"`{method.upper()} {path}`" not in page
    ]
    assert missing == []
