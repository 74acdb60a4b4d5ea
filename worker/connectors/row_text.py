"""Rows as bytes of a CSV or JSONL file, each value in its documented text, exactly or refused by name."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Any

from worker.batch import Batch
from worker.connectors.csv_text import Sheet
from worker.connectors.encoding import bad_value, require_key
from worker.connectors.files import FileOptions
from worker.errors import BadInput, Fault
from worker.sync.conversion import conversion
from worker.sync.types import Column, Kind, Type
from worker.sync.values import json_text, text

_TEXT = Type(kind=Kind.TEXT)
_FAILURES = (ValueError, TypeError, ArithmeticError, RecursionError)


class RowText:
    """How one file's rows are written."""

    def __init__(self, format_: str, options: FileOptions) -> None:
        self._csv = format_ == "csv"
        self._options = options
        self._encoding = "utf-8" if codecs.lookup(options.encoding).name == "utf-8-sig" else options.encoding
        if "\n".encode(self._encoding) != b"\n":  # pieces of a file are put together as bytes
            message = f"{options.encoding} is read, but not written; take utf-8 or another that contains ASCII"
            raise BadInput([Fault(field="encoding", message=message)])
        self._null = frozenset(options.null_values)
        self.sheet = Sheet(options.delimiter)

    def encoded(self, written: str) -> bytes:
        return written.encode(self._encoding)

    def header(self, names: Sequence[str]) -> bytes:
        """The first line; nothing for JSONL."""
        return self.encoded(self.sheet.header(names)) if self._csv and names else b""

    def rows(self, batch: Batch, columns: Sequence[Column], key: Sequence[str]) -> bytes:
        """All rows of the batch. BadValue names column, row and value."""
        require_key(batch, key)
        if not self._csv:
            return self._jsonl(batch, columns)
        fields = [self._texts(column, batch) for column in columns]
        try:
            return self.encoded(self.sheet.lines([self.sheet.column(one) for one in fields]))
        except UnicodeEncodeError:
            raise self._unencodable(columns, fields, batch) from None

    def _texts(self, column: Column, batch: Batch) -> list[str | None]:
        name = column.name
        values = [row.get(name) for row in batch.rows]
        classes = set(map(type, values))
        if classes <= {str} and column.type.kind is not Kind.JSON:
            texts: list[str | None] = values
        else:
            write = conversion(column.type, _TEXT)
            try:
                texts = [None if value is None else write(value) for value in values]
            except _FAILURES:
                raise self._refusal(name, values, batch, write) from None
        if self._null and not self._null.isdisjoint(texts):
            row = next(row for row, one in enumerate(texts) if one in self._null)
            raise bad_value(name, batch.first_row + row, values[row], "is one of null_values: it would be null")
        return texts

    def _refusal(self, name: str, values: Sequence[Any], batch: Batch, write: Any) -> Exception:
        for row, value in enumerate(values, start=batch.first_row):
            try:
                if value is not None:
                    self.encoded(write(value))
            except _FAILURES as error:
                return bad_value(name, row, value, f"cannot be written ({error})")
        raise AssertionError("a value failed once and not again")

    def _unencodable(
        self, columns: Sequence[Column], fields: Sequence[Sequence[str | None]], batch: Batch
    ) -> Exception:
        for column, texts in zip(columns, fields, strict=True):
            for row, one in enumerate(texts, start=batch.first_row):
                try:
                    self.encoded(one or "")
                except UnicodeEncodeError as error:
                    reason = f"cannot be written in {self._options.encoding} ({error.reason})"
                    return bad_value(column.name, row, one, reason)
        raise AssertionError("a text failed to encode and its fields did not")

    def _jsonl(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        lines = []
        for row in batch.rows:
            lines.append(json_text(row))
        try:
            return self.encoded("\n".join(lines) + "\n") if lines else b""
        except UnicodeEncodeError:
            names = [column.name for column in columns]
            for number, row in enumerate(batch.rows, start=batch.first_row):
                for name in names:
                    try:
                        self.encoded(text(row.get(name, "")) if row.get(name) is not None else "")
                    except UnicodeEncodeError as error:
                        raise bad_value(name, number, row[name], f"cannot be written ({error.reason})") from None
            raise
