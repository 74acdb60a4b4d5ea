"""What a request needs, from its method and path alone: made of the route table, closed by default.

It knows nobody; `app.api.auth` does. A path that nothing serves is closed too where it could be taken for one of the
API's, so that who may not enter learns nothing of what is there.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import compile_path

from app.api.operation import Operation
from worker.access import Scope

# First parts of the paths that are neither health nor files of the page.
CLOSED = frozenset({"api", "metrics"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Rights:
    """The table of routes and scopes."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        by_path: dict[str, dict[str, Scope | None]] = {}
        for operation in operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation.needs
        self._table = [(compile_path(path)[0], needs) for path, needs in by_path.items()]

    def needed(self, method: str, path: str) -> Scope | None:
        """The least scope that gets an answer; None: open to all."""
        served = [needs for pattern, needs in self._table if pattern.match(path)]
        asked = "GET" if method == "HEAD" else method
        for needs in served:
            if asked in needs:
                return needs[asked]
        if not served and next((part for part in path.split("/") if part), "") not in CLOSED:
            return None  # the page and its files; they take GET and HEAD alone
        return Scope.READ if method in SAFE else Scope.ADMIN
