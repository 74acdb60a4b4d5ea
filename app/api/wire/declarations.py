"""The declarative file over HTTP: what stands in a text, and what applying it would do or did."""

from __future__ import annotations

from typing import Any, Literal

from app.api.wire.shape import Wire


class PlacedFault(Wire):
    """A mistake in a text; line and column count from 1."""

    line: int
    column: int
    field: str
    message: str


class JobRead(Wire):
    """`job` is a draft, null where there are faults; `id` where the text says it."""

    id: str | None
    job: dict[str, Any] | None
    faults: list[PlacedFault]


class JobPrinted(Wire):
    text: str


class Change(Wire):
    """`details` are the fields that differ, old and new; `means` what follows for runs and checkpoints.

    `blocked` says why it cannot be done now; then nothing of the plan can.
    """

    mark: Literal["+", "~", "-"]
    kind: Literal["connection", "job", "alert"]
    id: str
    details: list[str]
    means: list[str]
    blocked: str | None


class Plan(Wire):
    """`faults` where the text has mistakes: there is no plan then."""

    applied: bool
    changes: list[Change]
    faults: list[PlacedFault]
