"""What to do when a source's columns are not those that the stream had before: the policies of `schema`.

It compares what comes with the record of what the stream delivered last time, never with the destination: a table made
by others is the connector's to fit. It changes rows, and tells what it did; it reads and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.errors import BadInput, Fault
from worker.job import STAMPS, Drift
from worker.sync.types import Column, Kind, Type, columns_of, infer, join

_HOLDS_ALL = frozenset({Kind.TEXT, Kind.JSON, Kind.NULL})
_EXAMPLE = 80


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a stream delivered into `target` so far: its columns under the destination's names, and its key."""

    target: str
    key: tuple[str, ...] = ()
    columns: Mapping[str, Type] = field(default_factory=dict)

    def with_columns(self, key: tuple[str, ...], columns: Sequence[Column]) -> Record:
        """The record after `columns` were delivered too, under `key`."""
        known = dict(self.columns)
        for column in columns:
            known[column.name] = join(known.get(column.name, Type(kind=Kind.NULL)), column.type)
        return Record(target=self.target, key=key, columns=known)

    def is_aside(self, name: str) -> bool:
        """Whether the column was made for values that did not fit into another: `name__type`."""
        before, _, kind = name.rpartition("__")
        return before in self.columns and kind in set(Kind)


def fits(known: Type, new: Type) -> bool:
    """Whether every value of `new` goes into a column that was `known`, widened where need be."""
    if known.kind in _HOLDS_ALL or new.kind is Kind.NULL:
        return True
    return join(known, new).kind is not Kind.JSON


class Drifting:
    """The drift of one stream in one run. `record` is None where there is nothing to compare with."""

    def __init__(self, stream: str, policy: Drift, record: Record | None) -> None:
        self.stream = stream
        self._policy = policy
        self._known = record.columns if record else None
        self._moved: dict[str, str] = {}
        self._dropped: set[str] = set()
        self._refused: set[str] = set()
        self._told: dict[str, list[Any]] = {}
        self.found = False

    def plan(self, columns: Sequence[Column], gone: Sequence[str]) -> tuple[Column, ...]:
        """The columns to write, of a source that says its own; `gone` are known ones that it no longer has.

        Raises BadInput under `freeze`, before anything is written.
        """
        if self._known is None:
            return tuple(columns)
        faults, planned, names = [], [], {column.name for column in columns}
        for column in columns:
            change = self._change(column.name, column.type)
            if change is None:
                planned.append(column)
                continue
            self.found = True
            if self._policy is Drift.FREEZE:
                faults.append(change)
            elif self._policy is Drift.EVOLVE:
                planned.append(self._evolved(column, change, names))
            elif self._policy is Drift.DISCARD_VALUE:
                self._dropped.add(column.name)
            else:
                self._refused.add(column.name)
        for name in gone:
            self.found = True
            if self._policy is Drift.FREEZE:
                faults.append(f"column {name} is gone from the source")
            else:
                planned.append(Column(name=name, type=self._known[name]))
                self._say(f"column {name} is gone from the source: it stays, and is null in every row sent from now on")
        self._refuse(faults)
        return tuple(planned)

    def take(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of a source that says its own columns, as planned."""
        if self._refused:
            rows = self._without_refused(rows)
        for name in self._dropped:
            self._count_values(name, rows)
        if not (self._moved or self._dropped):
            return rows
        moved, dropped = self._moved, self._dropped
        return [{moved.get(n, n): value for n, value in row.items() if n not in dropped} for row in rows]

    def sort(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of a source without a schema: each value that does not fit is treated by itself."""
        if self._known is None:
            return rows
        changed = {c.name: text for c in columns_of(rows, ()) if (text := self._change(c.name, c.type)) is not None}
        if not changed:
            return rows
        self.found = True
        if self._policy is Drift.FREEZE:
            self._refuse(list(changed.values()))
        return [made for row in rows if (made := self._sorted(row, changed)) is not None]

    def told(self) -> list[str]:
        """What was done, a line a column, with the count and one example of what was left out."""
        lines = []
        for line, (count, example) in self._told.items():
            counted = f": {count:,}, for example {example}" if count else ""
            lines.append(line + counted)
        self._told = {}
        return lines

    def _change(self, name: str, new: Type) -> str | None:
        """What differs, in words; None where the column is as it was, or only wider."""
        assert self._known is not None
        known = self._known.get(name)
        if name in STAMPS:
            return None
        if known is None:
            kept = new.kind is not Kind.NULL or self._policy is Drift.EVOLVE
            return f"column {name} is new at the source ({new.kind})" if kept and self._told_new(name) else None
        return None if fits(known, new) else f"column {name} was {known.kind} and is {new.kind} now"

    def _told_new(self, name: str) -> bool:
        """Whether a new column is a matter for the policy: evolving just adds it, and says so."""
        if self._policy is not Drift.EVOLVE:
            return True
        self._say(f"column {name} is new at the source: it was added")
        return False

    def _evolved(self, column: Column, change: str, names: set[str]) -> Column:
        new = f"{column.name}__{column.type.kind}"
        if new in names:
            message = f"{change}, and its new values have nowhere to go: the source has a column {new} too; rename it"
            raise BadInput([Fault(field=f"{self.stream}.rename", message=message)])
        self._moved[column.name] = new
        self._say(f"{change}: the column keeps its old values, the new ones are in {new}")
        return Column(name=new, type=column.type)

    def _sorted(self, row: dict[str, Any], changed: Mapping[str, str]) -> dict[str, Any] | None:
        """The row as the policy wants it; None where the policy discards it."""
        assert self._known is not None
        made: dict[str, Any] = {}
        for name, value in row.items():
            if name not in changed or value is None:
                made[name] = value
                continue
            type_, known = infer(value), self._known.get(name)
            if known is not None and fits(known, type_):
                made[name] = value
            elif self._policy is Drift.DISCARD_ROW:
                self._say(f"rows were left out, since column {name} is not what it was", 1, row)
                return None
            elif self._policy is Drift.DISCARD_VALUE:
                self._say(f"values of column {name} were left out, since it is not what it was", 1, value)
            else:
                new = f"{name}__{type_.kind}"
                made |= {name: None, new: value}
                self._say(
                    f"column {name} was {known and known.kind}: its values of another type are in {new}", 1, value
                )
        return made

    def _without_refused(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = []
        for row in rows:
            wrong = next((name for name in self._refused if row.get(name) is not None), None)
            if wrong is None:
                kept.append({name: value for name, value in row.items() if name not in self._refused})
            else:
                self._say(f"rows were left out, since column {wrong} is not what it was", 1, row)
        return kept

    def _count_values(self, name: str, rows: list[dict[str, Any]]) -> None:
        values = [row[name] for row in rows if row.get(name) is not None]
        if values:
            line = f"values of column {name} were left out, since it is not what it was"
            self._say(line, len(values), values[0])

    def _refuse(self, changes: list[str]) -> None:
        if changes:
            message = f"is freeze: {'; '.join(changes)}. Nothing was written; allow it with evolve, or reset the target"
            raise BadInput([Fault(field=f"{self.stream}.schema", message=message)])

    def _say(self, line: str, count: int = 0, example: object = None) -> None:
        entry = self._told.setdefault(line, [0, repr(example)[:_EXAMPLE]])
        entry[0] += count
