"""`python -m app.api.typescript [--check]`: write static/src/api/wire.ts from the shapes of the API.

An answer's fields are all there; a question's fields with a default may be left out. `--check` writes nothing and
exits 1 where the file is not what the shapes say.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import static
from app.api import questions, wire

FILE = Path(static.__file__).parent / "src" / "api" / "wire.ts"
HEAD = "// Made by `python -m app.api.typescript` from app/api/{wire,questions}.py. Do not edit.\n"
# Words of their own in the dashboard, though OpenAPI spells them out in place.
WORDS: dict[str, Any] = {"AlertKind": wire.AlertKind, "LogLevel": wire.LogLevel}
SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def shapes() -> list[type[BaseModel]]:
    """Every shape of answers and bodies; those of queries stay out."""
    named = {**vars(wire), **vars(questions)}.values()
    found = [one for one in named if isinstance(one, type) and issubclass(one, BaseModel)]
    families = {wire.Wire, questions.Question, questions.Draft, BaseModel, questions.Nothing}
    return [one for one in found if one not in families and not one.__name__.endswith(("Query", "Paging"))]


def generate() -> str:
    """The whole file."""
    models = shapes()
    by_name = {one.__name__: one for one in models}
    asked = questions.Question | questions.Draft
    modes: list[Any] = [(one, "validation" if issubclass(one, asked) else "serialization") for one in models]
    _, schema = models_json_schema(modes, ref_template="{model}")
    definitions: dict[str, Any] = schema["$defs"]
    parts = [HEAD]
    for name, word in WORDS.items():
        parts.append(f"export type {name} = {' | '.join(_quoted(value) for value in get_args(word))}\n")
    named = {name: set(get_args(word)) for name, word in WORDS.items()}
    for name, definition in sorted(definitions.items(), key=lambda item: "enum" not in item[1]):
        if "enum" in definition:
            parts.append(f"export type {name} = {' | '.join(_quoted(value) for value in definition['enum'])}\n")
        else:
            loose = issubclass(by_name[name], asked)
            parts.append(_interface(name, definition, named, loose=loose))
    return "\n".join(parts)


def _interface(name: str, definition: dict[str, Any], named: dict[str, set[str]], *, loose: bool) -> str:
    required = set(definition.get("required", []))
    lines = []
    if definition.get("description"):
        words = " ".join(definition["description"].split())
        lines.append(f"/** {words} */")
    lines.append(f"export interface {name} {{")
    for field, schema in definition.get("properties", {}).items():
        optional = "?" if loose and field not in required else ""
        lines.append(f"  {field}{optional}: {_type(schema, named)}")
    if definition.get("additionalProperties") is True:
        lines.append("  [more: string]: unknown")
    return "\n".join([*lines, "}", ""])


def _type(schema: Any, named: dict[str, set[str]]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one, named) for one in schema["anyOf"]))
    if "const" in schema:
        return _quoted(schema["const"])
    if "enum" in schema:
        known = next((name for name, values in named.items() if values == set(schema["enum"])), None)
        return known or " | ".join(_quoted(value) for value in schema["enum"])
    if schema.get("type") == "array":
        inner = _type(schema.get("items", {}), named)
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {_type(values, named) if isinstance(values, dict) else 'unknown'}>"
    return SIMPLE.get(schema.get("type", ""), "unknown")


def _quoted(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


def main(arguments: Sequence[str]) -> int:
    """Write the file, or check it; the exit code."""
    text = generate()
    if "--check" not in arguments:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{FILE} is not what the shapes of the API say: run python -m app.api.typescript", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
