"""`schema`: the JSON Schema of the declarative file, for editors. It needs no database."""

from __future__ import annotations

import json
import sys

from worker.declaration.schema import file_schema


def schema() -> int:
    """Print it, the same bytes each time."""
    sys.stdout.write(text())
    return 0


def text() -> str:
    return json.dumps(file_schema(), ensure_ascii=False, indent=2) + "\n"
