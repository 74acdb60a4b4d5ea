"""One line of a plan: what is to be added, changed or removed, field by field, and what that means. Never a secret.

It compares and tells; `worker.apply` decides and writes, `worker.meaning` knows what follows from a change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from worker.alert import SECRETS, Alert
from worker.connection import Connection
from worker.declaration import alert_document, connection_document, job_document, secret_fields
from worker.errors import BadInput, MissingExtra
from worker.job import Job

ADDED, CHANGED, REMOVED = "+", "~", "-"
CONNECTION, JOB, ALERT = "connection", "job", "alert"
# In place of a secret's value, wherever a change is kept.
SECRET = "changed"

Record = Connection | Job | Alert
Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Change:
    """`mark` is +, ~ or -; `fields` are those that differ, `details` the same with old and new.

    `means` says what follows for runs and checkpoints, `blocked` why it cannot be done now; `owner` is the file that it
    belonged to. `before` and `after` are the values that differ, for the audit.
    """

    mark: str
    kind: str
    id: str
    fields: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    means: tuple[str, ...] = ()
    blocked: str | None = None
    owner: str | None = None
    before: Values | None = field(default=None, compare=False, repr=False)
    after: Values | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        lines = [f"{self.mark} {self.kind} {self.id}", *(f"    {detail}" for detail in self.details)]
        lines += [f"    => {words}" for words in self.means]
        return "\n".join([*lines, *([f"    !! {self.blocked}"] if self.blocked else [])])

    @property
    def line(self) -> str:
        """All of it on one line, for a log."""
        told = f" ({'; '.join(self.details)})" if self.details else ""
        follows = f" => {'; '.join(self.means)}" if self.means else ""
        return f"{self.mark} {self.kind} {self.id}{told}{follows}"


def added(kind: str, wanted: Record) -> Change:
    return Change(mark=ADDED, kind=kind, id=wanted.id, after=_shown(wanted))


def removed(kind: str, id: str, stored: Record | None) -> Change:
    if stored is None:
        return Change(mark=REMOVED, kind=kind, id=id)
    return Change(mark=REMOVED, kind=kind, id=id, owner=stored.owner, before=_shown(stored))


def compared(kind: str, wanted: Record, stored: Record) -> Change | None:
    """What differs; None where nothing does."""
    hide = secrets(wanted) | secrets(stored)
    new, old = _document(wanted), _document(stored)
    fields = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    details: list[str] = []
    for name in fields:
        details += [f"{name} changes"] if name in hide else _details(name, old.get(name), new.get(name))
    if wanted.owner != stored.owner:
        fields.append("owner")
        details.append(f"now belongs to {wanted.owner}" if wanted.owner else f"no longer belongs to {stored.owner}")
    if not fields:
        return None
    before, after = _shown(stored) | {"owner": stored.owner}, _shown(wanted) | {"owner": wanted.owner}
    differing: Callable[[Values], Values] = lambda values: {  # noqa: E731
        name: SECRET if name in hide else values.get(name) for name in fields
    }
    return Change(
        mark=CHANGED,
        kind=kind,
        id=wanted.id,
        fields=tuple(fields),
        details=tuple(details),
        owner=stored.owner,
        before=differing(before),
        after=differing(after),
    )


def kind_of(record: Record) -> str:
    return JOB if isinstance(record, Job) else ALERT if isinstance(record, Alert) else CONNECTION


def secrets(record: Record) -> frozenset[str]:
    """The settings that no plan may show; all of them where the connector is not known here."""
    if isinstance(record, Job):
        return frozenset()
    if isinstance(record, Alert):
        return frozenset(SECRETS)
    try:
        return secret_fields(record.type)
    except (BadInput, MissingExtra):
        return frozenset(record.settings)


def _document(record: Record) -> dict[str, Any]:
    if isinstance(record, Job):
        return job_document(record)
    return alert_document(record) if isinstance(record, Alert) else connection_document(record)


def _shown(record: Record) -> dict[str, Any]:
    hide = secrets(record)
    return {name: SECRET if name in hide else value for name, value in _document(record).items()}


def _details(name: str, old: Any, new: Any) -> list[str]:
    """`name: old -> new`; of streams, each by its name and only the fields that differ."""
    if name != "streams":
        return [f"{name}: {flat(old)} -> {flat(new)}"]
    before, after = ({stream["name"]: stream for stream in streams or ()} for streams in (old, new))
    lines = []
    for stream in {**before, **after}:
        was, is_ = before.get(stream), after.get(stream)
        if was is None or is_ is None:
            lines.append(f"streams.{stream}: {flat(was)} -> {flat(is_)}")
            continue
        for one in {**was, **is_}:
            if was.get(one) != is_.get(one):
                lines.append(f"streams.{stream}.{one}: {flat(was.get(one))} -> {flat(is_.get(one))}")
    return lines or ["streams: in another order"]


def flat(value: Any) -> str:
    """A value on one line, as the file would spell it."""
    if value is None:
        return "(none)"
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=100_000)
    return text.removesuffix("\n").removesuffix("\n...")
