"""Who does something here, how it is known, and what they may do: the words that API, command line and audit share.

It checks nobody: `app.api.auth` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """From little to much; each has all that the one before it has. People call them viewer, operator and admin."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def covers(self, needed: Scope) -> bool:
        """Whether this is enough for what needs `needed`."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


class How(StrEnum):
    """How it is known who somebody is; `anyone`: nobody asked, as where no credentials are set."""

    TOKEN = "token"
    SESSION = "session"
    ANYONE = "anyone"
    CLI = "cli"
    FILE = "file"


@dataclass(frozen=True, kw_only=True)
class Who:
    """Somebody, for the time of one request or command.

    `token` is the public id of a stored token (never the token); `address` is where the request came from, `request`
    its id.
    """

    name: str
    scope: Scope
    how: How
    token: str | None = None
    address: str | None = None
    request: str | None = None

    @property
    def via(self) -> str:
        """The door: `api`, `cli` or `jobs_file`."""
        return {How.CLI: "cli", How.FILE: "jobs_file"}.get(self.how, "api")


ANYONE = Who(name="anyone", scope=Scope.ADMIN, how=How.ANYONE)
