"""Both sides of a stream as keys and digests: the source's rows as a run would write them, and those that are there.

Each side is read once, with its connector's own reader, in whatever order it comes. Nothing is written, and nothing is
compared here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from worker.batch import Batch, Row
from worker.connectors.bson_values import far_milliseconds
from worker.connectors.protocol import Picking, Source, Stream
from worker.connectors.sql_keys import SEQUENCE, keys_name
from worker.errors import StreamNotFound
from worker.job import DELETED_AT, Delete, Mode, StreamSpec, Write
from worker.log_fields import carried
from worker.sync import canonical
from worker.sync.canonical import Form, encoded
from worker.sync.drift import Record
from worker.sync.move import Ends, Moving
from worker.sync.pipe import Pipe, patiently
from worker.sync.spool import Entry, Mark, Spool
from worker.sync.types import Kind, Type

DIGEST_BYTES = 16
READER_GOODBYE = 0.5
_ID, _SOURCE_ID = "_id", "_source_id"


@dataclass(frozen=True, kw_only=True)
class There:
    """The destination, opened to be read. `options` are the stream's that say how its rows lie there.

    `exact`: it keeps timestamps as text where it has no type of their precision.
    """

    source: Source
    options: Mapping[str, object]
    exact: bool = False


def drained(batches: Iterator[Batch], name: str, check: Callable[[], None]) -> Iterator[Batch]:
    """The batches, read ahead on a thread, so that a source that hangs does not keep us from ending."""
    pipe = Pipe()
    reader = threading.Thread(target=carried(pipe.fill), args=(batches,), name=f"read {name}", daemon=True)
    reader.start()
    try:
        yield from pipe.drain(check)
    finally:
        pipe.close()
        reader.join(READER_GOODBYE)


def picked(source: Source, spec: StreamSpec, keys: Sequence[Row], check: Callable[[], None]) -> Iterator[Batch]:
    """The rows that have one of `keys`; of a source that finds none by key, all are read and those are chosen."""
    if isinstance(source, Picking):
        yield from drained(source.pick(spec, keys), spec.name, check)
        return
    names = list(keys[0])
    wanted = {tuple(encoded(key[name]) for name in names) for key in keys}
    for batch in drained(source.read(spec, None), spec.name, check):
        rows = [row for row in batch.rows if tuple(encoded(row.get(name)) for name in names) in wanted]
        if rows:
            yield replace(batch, rows=rows)


class Sides:
    """Two sides of one stream. `key` is that of the rows at the destination: empty where they are not found by one.

    In documents it is `_id`, and `own_key` the columns that it is made of. `source_key` is in the source's names.
    """

    def __init__(
        self, moving: Moving, record: Record | None, ends: Ends, there: There, check: Callable[[], None]
    ) -> None:
        self.moving = moving
        self.spec = moving.part.spec
        self.there = there
        self.target = StreamSpec(name=moving.target.name, options=dict(there.options))
        self._source = ends.source
        self._record = record
        self._check = check
        self._stream = self._described()
        self._types = {column.name: column.type for column in self._stream.columns} if self._stream else {}
        self._documents = bool(self._stream and self._stream.key == (_ID,) and not self._stream.columns)
        self._tables = ends.destination.capabilities.typed
        self.own_key = () if self.spec.write is Write.APPEND else moving.target.key
        self.key = (_ID,) if self._documents and self.own_key else self.own_key
        self.source_key = self.spec.key or moving.stream.key if self.own_key else ()
        soft = (DELETED_AT,) if self.spec.delete is Delete.SOFT else ()
        self._ours = frozenset((*self.spec.metadata, *soft))
        self._seen: set[str] = set()
        self._left: dict[str, Form | None] = {}
        self._right: dict[str, Form | None] = {}
        self._orders: dict[tuple[str, ...], list[tuple[str, bytes]]] = {}

    @property
    def lies(self) -> Stream | None:
        """The target as it is, or None where there is none yet."""
        return self._stream

    def _described(self) -> Stream | None:
        try:
            return patiently(lambda: self.there.source.describe(self.target), self._check)
        except StreamNotFound:
            return None

    # The source.

    def read_source(self, spool: Spool, checkpoint: Any) -> None:
        """Every row; those that no run has brought yet, or none will, with a mark that says so."""
        full = replace(self.spec, mode=Mode.FULL, write=Write.REPLACE, lookback=None)
        for batch in drained(self._source.read(full, None), self.spec.name, self._check):
            spool.add(self._entries(batch.rows))
        if self.spec.mode is Mode.INCREMENTAL:  # after all else: what changed meanwhile is among it
            behind = replace(self.spec, write=Write.APPEND, lookback=None)
            for batch in drained(self._source.read(behind, checkpoint), self.spec.name, self._check):
                spool.add(replace_mark(self._entries(batch.rows), Mark.AHEAD))

    def _entries(self, raw: list[Row]) -> list[Entry]:
        cursor = self.spec.cursor if self.spec.mode is Mode.INCREMENTAL else None
        gone = self.moving.selection.removes(raw)
        made = []
        for before, row, is_gone in zip(raw, self.mapped(raw), gone, strict=True):
            if row is None:
                continue
            unsent = cursor is not None and before.get(cursor) is None
            mark = Mark.UNSENT if unsent else (Mark.GONE if is_gone else Mark.PLAIN)
            made.append(self.entry(row, mark, {name: before.get(name) for name in self.source_key} or None))
        return made

    def mapped(self, raw: list[Row]) -> list[Row | None]:
        """The rows as they would be written; None for those that the stream's policy leaves out."""
        drifting = self.moving.drifting
        drift = drifting.take if self.moving.stream.columns else drifting.sort
        rows = self.moving.selection.rows(raw)
        made = drift(rows)
        if len(made) == len(rows):
            return list(made)
        return [next(iter(drift([row])), None) for row in rows]

    def entry(self, row: Row, mark: Mark = Mark.PLAIN, raw: Any = None) -> Entry:
        """The key and digest of a mapped row of the source."""
        self._seen.update(row)
        row = self._as_document(row) if self._documents else row
        return self._entry(row, self._left, self._form_of_source, raw)._replace(mark=mark)

    def _as_document(self, row: Row) -> Row:
        """The row with the `_id` that its document has."""
        if self.own_key == (_ID,):
            return row
        row = {_SOURCE_ID if name == _ID else name: value for name, value in row.items()}
        if not self.own_key:
            return row
        values = {name: row.get(_SOURCE_ID if name == _ID else name) for name in self.own_key}
        return {_ID: next(iter(values.values())) if len(values) == 1 else values, **row}

    def _form_of_source(self, name: str) -> Form:
        if self._documents:
            name = self.own_key[0] if name == _ID and len(self.own_key) == 1 else name
            type_ = self._planned(name)
            return canonical.document(type_.kind if type_ else None, far_milliseconds, exact=self.there.exact)
        held = self._types.get(name)
        return self._lying(name, canonical.typed(self._planned(name), held) if held else canonical.as_it_is)

    def _lying(self, name: str, form: Form) -> Form:
        """The form of a column of a table; in a file, where all is text, that of its text."""
        type_ = self._planned(name)
        single = type_ is not None and type_.kind is Kind.FLOAT and type_.bits == 32
        return form if self._tables else canonical.textual(form, single=single)

    def _planned(self, name: str) -> Type | None:
        """The type that a run writes the column as; None where each value says its own."""
        if self.moving.target.columns:
            return next((column.type for column in self.moving.target.columns if column.name == name), None)
        return self._record.columns.get(name) if self._record and self._types else None

    def key_there(self, row: Row) -> Row:
        """The key of a mapped row as the destination's reader would ask for it."""
        if self._documents:
            row = self._as_document(row)
            return {name: row.get(name) for name in self.key}
        return {name: None if row.get(name) is None else self._form_of_source(name)(row[name]) for name in self.key}

    def pick_there(self, keys: Sequence[Row]) -> list[Entry]:
        """What lies there under `keys`."""
        if not keys or self._stream is None:
            return []
        found = picked(self.there.source, self.target, keys, self._check)
        return [entry for batch in found for entry in self.entries_there(batch.rows)]

    def rows_there(self, keys: Sequence[Row]) -> Iterator[list[Row]]:
        """The rows that lie there under `keys`, as they would be written."""
        made = self._documents and self.own_key != (_ID,)
        for batch in picked(self.there.source, self.target, keys, self._check):
            yield [{n: v for n, v in row.items() if n != _ID} for row in batch.rows] if made else batch.rows

    def pick_source(self, keys: Sequence[Row]) -> Iterator[Batch]:
        """The source's rows of `keys`, as they are now and as they come."""
        full = replace(self.spec, mode=Mode.FULL, write=Write.REPLACE, lookback=None)
        return picked(self._source, full, keys, self._check)

    def removal(self, key: Row) -> Row | None:
        """A row by whose key the writer finds what lies there under `key`; None where it would not."""
        if not self._documents or self.own_key == (_ID,):
            return key
        (value,) = key.values()
        if len(self.own_key) == 1:
            return {self.own_key[0]: value}
        whole = isinstance(value, dict) and tuple(value) == self.own_key
        return dict(value) if whole else None

    # The destination.

    def read_there(self, spool: Spool) -> None:
        """Every row that is there; one that is deleted softly is not. To be called after the source was read."""
        if self._stream is None:
            return
        for batch in drained(self.there.source.read(self.target, None), self.target.name, self._check):
            spool.add(self.entries_there(batch.rows))

    def entries_there(self, rows: Sequence[Row]) -> list[Entry]:
        soft = self.spec.delete is Delete.SOFT
        return [self._entry_there(row) for row in rows if not (soft and row.get(DELETED_AT) is not None)]

    def _entry_there(self, row: Row) -> Entry:
        raw = {name: row.get(name) for name in self.key} or None
        return self._entry({n: v for n, v in row.items() if self._counts(n)}, self._right, self._form_there, raw)

    def _counts(self, name: str) -> bool:
        """Whether a column that is there is one of this stream's: other people's are not ours to judge."""
        if name in self._seen or name in self.key:
            return name not in self._ours and (name != _ID or not self._documents or name in self.key)
        if not self._documents or name in self._ours or name == _ID:
            return False
        kept = self._record is not None and name in self._record.columns  # gone from the source, and kept here
        return name == _SOURCE_ID or not kept

    def _form_there(self, name: str) -> Form:
        if self._documents:
            return canonical.document(None, far_milliseconds, exact=False)
        held = self._types.get(name)
        return self._lying(name, canonical.there(held) if held else canonical.as_it_is)

    # The keys that a mirror wrote.

    def read_keys(self, spool: Spool) -> None:
        """The keys of the rows that this stream wrote, as a mirror notes them beside its target."""
        spec = StreamSpec(name=keys_name(self.moving.target.fence, self.target.name))
        try:
            for batch in drained(self.there.source.read(spec, None), spec.name, self._check):
                rows = [{name: value for name, value in row.items() if name != SEQUENCE} for row in batch.rows]
                spool.add(self._entry(row, self._right, self._form_there, None) for row in rows)
        except StreamNotFound:
            return

    def _entry(self, row: Row, forms: dict[str, Form | None], form_of: Callable[[str], Form], raw: Any) -> Entry:
        shape = tuple(row)
        order = self._orders.get(shape)
        if order is None:
            order = self._orders[shape] = [(name, encoded(name)) for name in sorted(shape)]
        parts: list[bytes] = []
        key: dict[str, bytes] = {}
        for name, begin in order:
            value = row[name]
            if value is None:
                continue
            if name not in forms:
                forms[name] = None if name in self._ours else form_of(name)
            form = forms[name]
            if form is None:
                continue
            made = form(value)
            if made is None:
                continue
            written = encoded(made)
            parts += (begin, written)
            if name in self.key:
                key[name] = written
        found = blake2b(b"".join(parts), digest_size=DIGEST_BYTES).digest()
        return Entry(b"".join(key.get(name, _NOTHING) for name in self.key) or found, found, Mark.PLAIN, raw)


_NOTHING = encoded(None)


def replace_mark(entries: list[Entry], mark: Mark) -> list[Entry]:
    return [entry._replace(mark=mark) for entry in entries]
