"""The description of the API (OpenAPI 3.1), made from the route table and the shapes; nothing is written twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.operation import Operation
from app.api.problems import MEDIA_TYPE
from app.api.questions import Draft
from app.api.wire import Problem
from worker import __version__

REF = "#/components/schemas/{model}"
PROBLEMS = {
    "400": "The request is not well formed.",
    "401": "Credentials are missing.",
    "403": "The scope does not reach, or another site asks.",
    "404": "There is no such thing.",
    "409": "Its state does not allow this.",
    "412": "The revision is stale; `current` is the document as it stands.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "A field or parameter cannot be used; `errors` names each.",
    "428": "If-Match is missing.",
    "429": "Too many attempts.",
    "502": "The other end of a connection does not answer.",
    "503": "The database does not answer.",
}


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole document."""
    schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", operation.path)
        described = _described(operation, schemas)
        if linked := _links(operation, operations):
            described["responses"][str(operation.status)]["links"] = linked
        paths.setdefault(path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "syncworker",
            "version": __version__,
            "description": "Scheduled sync jobs: connections, jobs, runs, and what they do right now.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if not name.startswith("?")},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "syncworker_session"},
            },
        },
        "security": [{"token": []}, {"session": []}],
    }


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    """Every shape by name; those of queries under `?Name`, since their fields become parameters."""
    bodies: dict[type[BaseModel], str] = {Problem: "serialization"}
    for operation in operations:
        if operation.body is not None:
            bodies[operation.body] = "validation"
        if operation.answer is not None:
            bodies[operation.answer] = "serialization"
    inputs: list[Any] = list(bodies.items())
    _, found = models_json_schema(inputs, ref_template=REF)
    schemas = {name: _without_objects(schema) for name, schema in found.get("$defs", {}).items()}
    for operation in operations:
        schemas[f"?{operation.query.__name__}"] = operation.query.model_json_schema()
    return schemas


def _without_objects(schema: dict[str, Any]) -> dict[str, Any]:
    """Without defaults that are objects: generators of clients stumble over them, and the fields inside have theirs."""
    for field in schema.get("properties", {}).values():
        if isinstance(field.get("default"), dict):
            del field["default"]
    return schema


def _described(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    words = " ".join((operation.handler.__doc__ or "").split())
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": words.partition(";")[0].rstrip("."),
        "description": words,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, schemas)],
        "responses": _responses(operation),
    }
    if operation.wants_revision:
        described["parameters"].append(_parameter("If-Match", "header", {"type": "string"}, required=True))
    if operation.body is not None:
        schema = {"$ref": REF.format(model=_name(operation.body, schemas, "Input"))}
        required = issubclass(operation.body, Draft)
        described["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    if operation.needs is None:
        described["security"] = []
    return described


def _links(operation: Operation, operations: Sequence[Operation]) -> dict[str, Any]:
    """What can be done next with the thing that was made or shown: its id, and its revision, go along."""
    collection = f"/api/{operation.answer.__name__.lower()}s" if operation.answer else ""
    shows = operation.status in (201, 202) or operation.path == f"{collection}/{{id}}"
    if not shows or operation.method not in ("GET", "POST"):
        return {}
    links = {}
    for other in operations:
        if other is operation or not other.path.startswith(f"{collection}/{{id}}") or other.path.count("{") != 1:
            continue
        parameters = {"path.id": "$response.body#/id"}
        if other.wants_revision and _has_revision(operation):
            parameters["header.If-Match"] = "$response.header.ETag"
        links[other.name] = {"operationId": other.name, "parameters": parameters}
    return links


def _has_revision(operation: Operation) -> bool:
    return operation.answer is not None and "revision" in operation.answer.model_fields


def _responses(operation: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done."}
    if _has_revision(operation):
        success["headers"] = {"ETag": {"description": "The revision, for If-Match.", "schema": {"type": "string"}}}
    if operation.answer is not None:
        schema = {"$ref": REF.format(model=operation.answer.__name__)}
        success["content"] = {operation.media_type: {"schema": schema}}
    elif operation.status != 204:
        success["content"] = {operation.media_type: _raw(operation.media_type)}
    responses: dict[str, Any] = {str(operation.status): success}
    if operation.path == "/readyz":
        responses["503"] = success | {"description": "Not ready, for these reasons."}
        return responses
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}}}
    for status in _possible(operation):
        responses[status] = {"description": PROBLEMS[status]} | problem
    return responses


def _raw(media_type: str) -> dict[str, Any]:
    """What an answer without a shape of its own holds: a document, a text, or whatever YAML says."""
    if media_type == "application/json":
        return {"schema": {"type": "object"}}
    return {} if "yaml" in media_type else {"schema": {"type": "string"}}


def _possible(operation: Operation) -> list[str]:
    possible = {"422"} | ({"401", "403", "503"} if operation.needs is not None else set())
    if operation.method != "GET":
        possible |= {"400", "403", "413", "415"}
    if "{" in operation.path:
        possible |= {"404"}
    if operation.method != "GET" and operation.tag not in ("auth", "schedules"):
        possible |= {"409"}
    if operation.wants_revision:
        possible |= {"412", "428"}
    if operation.path == "/api/events":
        possible |= {"429"}
    if operation.path == "/api/login":
        possible |= {"401", "429", "503"}
    if operation.path.startswith("/api/connections/{id}/"):
        possible |= {"409", "502"}
    return sorted(possible)


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)(?::\w+)?\}", operation.path)
    return [_parameter(name, "path", {"type": "string"}, required=True) for name in names]


def _query_parameters(operation: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    schema = schemas[f"?{operation.query.__name__}"]
    inner = schema.get("$defs", {})
    found = [_parameter(name, "query", _inlined(one, inner)) for name, one in schema.get("properties", {}).items()]
    return [one | {"allowEmptyValue": True} for one in found]  # which counts as left out


def _parameter(name: str, place: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _inlined(schema: Any, inner: dict[str, Any]) -> Any:
    """A parameter's schema without references, and without null, which a query cannot say."""
    if isinstance(schema, list):
        return [_inlined(one, inner) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(inner[schema["$ref"].rpartition("/")[2]], inner)
    found = {name: _inlined(one, inner) for name, one in schema.items() if not (name == "default" and one is None)}
    choices = [one for one in found.pop("anyOf", []) if one != {"type": "null"}]
    return found | choices[0] if len(choices) == 1 else found | ({"anyOf": choices} if choices else {})


def _name(model: type[BaseModel], schemas: dict[str, Any], suffix: str) -> str:
    """A shape that is asked and answered differently has two schemas."""
    split = f"{model.__name__}-{suffix}"
    return split if split in schemas else model.__name__
