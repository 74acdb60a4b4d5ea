"""Which columns of a stream reach the destination, and under which names: chosen, renamed, hashed, stamped.

Rows in, rows out. It hashes what the job names in `hash` (HMAC-SHA-256 of the value's canonical text, RFC 2104) and
adds the columns of `metadata`; every other value is left untouched.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.errors import BadInput, Fault
from worker.job import DELETED_AT, RUN_ID, SYNCED_AT, Delete, StreamSpec
from worker.sync.types import Column, Kind, Type
from worker.sync.values import text

METADATA = {SYNCED_AT: Type(kind=Kind.TIMESTAMPTZ), RUN_ID: Type(kind=Kind.TEXT)}
_STAMPED = METADATA | {DELETED_AT: Type(kind=Kind.TIMESTAMPTZ)}
_HASHED = Type(kind=Kind.TEXT)


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What a run brings to the rows: the installation's key for `hash`, and the values of the metadata columns."""

    hash_key: bytes = b""
    values: Mapping[str, Any] = field(default_factory=dict)


class Selection:
    """The `columns`, `exclude`, `rename`, `hash` and `metadata` of one stream, the first four in the source's names."""

    def __init__(self, spec: StreamSpec, marks: Marks | None = None) -> None:
        self._spec = spec
        self._marks = marks or Marks()
        self._chosen = None if spec.columns is None else frozenset(spec.columns)
        self._excluded = frozenset(spec.exclude)
        self._rename = spec.rename
        self._hashed = frozenset(spec.hash)
        self._stamps = {name: self._marks.values.get(name) for name in spec.metadata}
        if spec.delete is Delete.SOFT:
            self._stamps[DELETED_AT] = None
        self._selects = self._chosen is not None or bool(self._excluded or self._rename)
        self.plain = not (self._selects or self._hashed or self._stamps)

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
        if taken := sorted(set(names) & self._stamps.keys()):
            faults.append(self._fault("rename", f"is needed: {', '.join(taken)} is added to what the source has"))
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
            "hash": spec.hash,
            "deleted": (spec.deleted,) if spec.deleted else (),
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
        """The chosen columns under the destination's names, then those of `metadata`."""
        chosen = [
            Column(
                name=self.name(column.name),
                type=_HASHED if column.name in self._hashed else column.type,
                nullable=column.nullable,
            )
            for column in columns
            if self._keeps(column.name)
        ]
        return self.stamped(chosen) if chosen else ()

    def stamped(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """`columns`, those that are added to every row with their types."""
        own = [column for column in columns if column.name not in self._stamps]
        return (*own, *(Column(name=n, type=_STAMPED[n], nullable=v is None) for n, v in self._stamps.items()))

    def removes(self, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Which rows the source calls deleted."""
        return [_is_set(row.get(self._spec.deleted)) for row in rows] if self._spec.deleted else [False] * len(rows)

    def rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The chosen values under the destination's names; `rows` itself where nothing is to be done."""
        if self.plain:
            return rows
        if self._hashed:
            rows = [{name: self._hash(name, value) for name, value in row.items()} for row in rows]
        if self._selects:
            rename, keeps = self._rename, self._keeps
            rows = [{rename.get(name, name): value for name, value in row.items() if keeps(name)} for row in rows]
        if self._stamps:
            rows = [row | self._stamps for row in rows]
        return rows

    def _hash(self, name: str, value: Any) -> Any:
        if value is None or name not in self._hashed:
            return value
        return hmac.digest(self._marks.hash_key, text(value).encode(), "sha256").hex()


def _is_set(flag: Any) -> bool:
    """Whether a value means yes: true, a number but 0, a time, a text but those that say no."""
    return flag.strip().lower() not in _NO if isinstance(flag, str) else bool(flag)


_NO = frozenset({"", "0", "f", "false", "n", "no", "off"})
