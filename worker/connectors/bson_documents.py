"""Rows as encoded documents: `_id` from the key, every value exact, each document small enough for the server.

A document is encoded once, here, so that what MongoDB cannot hold is known by row and column before it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from worker.batch import Batch, Row
from worker.connectors.bson_values import CODEC, Shape
from worker.connectors.encoding import bad_value
from worker.connectors.protocol import Target
from worker.errors import BadInput, BadValue, Fault
from worker.job import Write
from worker.sync.types import Column, infer

_ID, _SOURCE_ID = "_id", "_source_id"
_MOST_BYTES = 16 * 1024 * 1024
_FAILURES = (BSONError, ValueError, TypeError, OverflowError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class Encoded:
    """The documents of a batch; `ids` beside them where there is a key."""

    documents: list[RawBSONDocument]
    ids: list[Any]


class Documents:
    """How rows of one target become documents."""

    def __init__(self, target: Target, shape: Shape) -> None:
        self._shape = shape
        self._key = () if target.write is Write.APPEND else target.key
        self._moves_id = self._key != (_ID,)
        names = [column.name for column in target.columns]
        if self._moves_id and _ID in names and _SOURCE_ID in names:
            message = f"{_ID} would become {_SOURCE_ID}, which is there too; rename one of them"
            raise BadInput([Fault(field=f"{target.fence.stream}.rename", message=message)])

    def of(self, batch: Batch, columns: Sequence[Column]) -> Encoded:
        """Encode all rows; BadValue names column, row and value."""
        rows = self._converted(batch, columns)
        ids: list[Any] = []
        documents = []
        for number, row in enumerate(rows, start=batch.first_row):
            if self._key:
                ids.append(self._id(row, number))
            if self._moves_id:
                row = self._with_id(row, ids[-1] if self._key else None)  # noqa: PLW2901
            documents.append(self._encoded(row, number))
        return Encoded(documents, ids)

    def _converted(self, batch: Batch, columns: Sequence[Column]) -> list[Row]:
        """The rows themselves where no value needs another form, else copies."""
        changed: list[tuple[str, list[Any]]] = []
        rows = batch.rows
        for column in columns:
            values = [row.get(column.name) for row in rows]
            try:
                made = self._shape.of_column(column, values)
            except _FAILURES:
                raise self._refusal(column, values, batch.first_row) from None
            if made is not values:
                changed.append((column.name, made))
        if not changed:
            return rows
        copies = [dict(row) for row in rows]
        for name, made in changed:
            for copy, value in zip(copies, made, strict=True):
                if name in copy:
                    copy[name] = value
        return copies

    def _refusal(self, column: Column, values: Sequence[Any], first_row: int) -> BadValue:
        for number, value in enumerate(values, start=first_row):
            try:
                self._shape.of_column(Column(name=column.name, type=infer(value)), [value])
            except _FAILURES as error:
                return bad_value(column.name, number, value, f"cannot be held by a document: {error}")
        raise AssertionError("a conversion failed once and not again")

    def _id(self, row: Row, number: int) -> Any:
        for name in self._key:
            if row.get(name) is None:
                message = f"column {name}, row {number}: null in the key, which becomes {_ID}"
                raise BadValue(message, column=name, row=number)
        made = row[self._key[0]] if len(self._key) == 1 else {name: row[name] for name in self._key}
        if isinstance(made, (list, bson.Regex)):
            raise bad_value(self._key[0], number, made, f"cannot be an {_ID}")
        return made

    def _with_id(self, row: Row, made: Any) -> Row:
        """`_id` first; the source's own steps aside."""
        begun = {_ID: made} if self._key else {}
        return begun | {_SOURCE_ID if name == _ID else name: value for name, value in row.items()}

    def _encoded(self, row: Row, number: int) -> RawBSONDocument:
        try:
            raw = bson.encode(row, codec_options=CODEC)
        except _FAILURES:
            raise self._unencodable(row, number) from None
        if len(raw) > _MOST_BYTES:
            largest = max(row, key=lambda name: len(bson.encode({name: row[name]}, codec_options=CODEC)))
            message = f"row {number} has {len(raw):,} bytes, most in {largest}; a document has {_MOST_BYTES:,} at most"
            raise BadValue(message, column=largest, row=number)
        return RawBSONDocument(raw, _RAW)

    def _unencodable(self, row: Row, number: int) -> BadValue:
        for name, value in row.items():
            try:
                bson.encode({name: value}, codec_options=CODEC)
            except _FAILURES as error:
                return bad_value(name, number, value, f"cannot be held by a document: {error}")
        raise AssertionError("a document failed to encode and its fields did not")


_RAW = bson.DEFAULT_CODEC_OPTIONS.with_options(document_class=RawBSONDocument)
