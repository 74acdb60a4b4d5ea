"""Which columns of a stream reach the destination, and under which names. Rows in, rows out; values untouched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.errors import BadInput, Fault
from worker.job import StreamSpec
from worker.sync.types import Column


class Selection:
    """The `columns`, `exclude` and `rename` of one stream, all in the source's names."""

    def __init__(self, spec: StreamSpec) -> None:
        self._spec = spec
        self._chosen = None if spec.columns is None else frozenset(spec.columns)
        self._excluded = frozenset(spec.exclude)
        self._rename = spec.rename
        self.plain = self._chosen is None and not self._excluded and not self._rename

    def keeps_all(self, names: Sequence[str]) -> bool:
        """Whether every one of `names` reaches the destination."""
        return all(map(self._keeps, names))

    def check(self, columns: Sequence[Column], key: Sequence[str]) -> None:
        """Raise BadInput for names that the source does not have, a key that is left out, or two of one name.

        A source without a schema (no columns known before reading) is checked as far as the names alone allow.
        """
        faults = self._unknown(columns) if columns else []
        left_out = [name for name in key if not self._keeps(name)]
        if left_out:
            faults.append(self._fault("key", f"{', '.join(left_out)} must not be left out by columns or exclude"))
        names = [self.name(column.name) for column in columns if self._keeps(column.name)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            faults.append(self._fault("rename", f"gives two columns the name {', '.join(twice)}"))
        if columns and not names:
            faults.append(self._fault("columns", "leaves no column"))
        if faults:
            raise BadInput(faults)

    def _unknown(self, columns: Sequence[Column]) -> list[Fault]:
        spec = self._spec
        known = {column.name for column in columns}
        used = {
            "key": spec.key,
            "cursor": (spec.cursor,) if spec.cursor else (),
            "columns": spec.columns or (),
            "exclude": spec.exclude,
            "rename": tuple(spec.rename),
        }
        listed = ", ".join(sorted(known))
        return [
            self._fault(field, f"{name!r} is no column of the source; it has {listed}")
            for field, names in used.items()
            for name in names
            if name not in known
        ]

    def _fault(self, field: str, message: str) -> Fault:
        return Fault(field=f"{self._spec.name}.{field}", message=message)

    def _keeps(self, name: str) -> bool:
        return (self._chosen is None or name in self._chosen) and name not in self._excluded

    def name(self, source_name: str) -> str:
        """The destination's name of a column."""
        return self._rename.get(source_name, source_name)

    def columns(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The chosen columns under the destination's names."""
        return tuple(
            Column(name=self.name(column.name), type=column.type, nullable=column.nullable)
            for column in columns
            if self._keeps(column.name)
        )

    def rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The chosen values under the destination's names; `rows` itself where nothing is to be done."""
        if self.plain:
            return rows
        rename, keeps = self._rename, self._keeps
        return [{rename.get(name, name): value for name, value in row.items() if keeps(name)} for row in rows]
