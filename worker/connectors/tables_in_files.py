"""A file's rows as columns of typed values, in chunks: what CSV and JSONL have in common for whoever reads them.

A file is read twice: once to learn its columns, once for its rows. Nothing is kept but one chunk.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from worker.batch import TARGET_BYTES, TARGET_ROWS, Row
from worker.connectors.csv_text import Fields, Record, records
from worker.connectors.csv_types import Guess, parsed
from worker.connectors.files import FileOptions
from worker.connectors.folder import File, reading
from worker.errors import BadData
from worker.sync.types import Column, columns_of
from worker.sync.values import json_value

_CHUNK = 65_536
# What is no text file may be one line; it must not be taken into memory whole.
_LONGEST_LINE = 64 * 1024 * 1024

# Called with a line and what is wrong with it, where bad rows are skipped.
Skip = Callable[[str], None]


@dataclass
class Chunk:
    """Some rows of a file, as many as fit a batch; `size` in characters."""

    rows: list[Row]
    size: int


@dataclass
class Shape:
    """What the first pass over a stream's files finds."""

    columns: tuple[Column, ...] = ()
    rows: int = 0
    bad: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TableFile:
    """One CSV or JSONL file with its options."""

    file: File
    options: FileOptions

    @property
    def where(self) -> str:
        return self.file.where

    def _lines(self, stream: BinaryIO) -> Iterator[str]:
        """Lines with their ends. BadData names a line that is too long, or has a byte that the encoding has not."""
        encoding = "utf-8-sig" if codecs.lookup(self.options.encoding).name == "utf-8" else self.options.encoding
        text = io.TextIOWrapper(stream, encoding=encoding, errors="strict", newline="")
        try:
            for number, line in enumerate(iter(partial(text.readline, _LONGEST_LINE), ""), start=1):
                if len(line) == _LONGEST_LINE:
                    raise BadData(f"{self.where}, line {number}: longer than {_LONGEST_LINE >> 20} million characters")
                yield line
        except UnicodeError as error:
            raise self._wrong_byte(error, encoding) from None
        finally:
            with suppress(ValueError):  # closed already, where reading ended early
                text.detach()

    def _wrong_byte(self, error: UnicodeError, encoding: str) -> BadData:
        """Read again up to the byte: the reader's own position is a chunk further on."""
        decoder = codecs.getincrementaldecoder(encoding)()
        line = 1
        with reading(self.file) as stream:
            while data := stream.read(_CHUNK):
                try:
                    line += decoder.decode(data).count("\n")
                except UnicodeDecodeError as found:
                    line += found.object[: found.start].count(b"\n")
                    byte = found.object[found.start]
                    wrong = f"the byte 0x{byte:02x} is no {self.options.encoding}; set `encoding`"
                    return BadData(f"{self.where}, line {line}: {wrong}")
        return BadData(f"{self.where}: cut off in the middle of a character ({error})")

    # CSV.

    def _records(self, lines: Iterator[str], skip: Skip | None) -> tuple[list[str], Iterator[Record]]:
        found = records(lines, self.options.delimiter, self.where)
        first = next(found, None)
        if first is None:
            raise BadData(f"{self.where} is empty: not even a header")
        return self._header(first), self._even(found, len(first.fields), skip)

    def _header(self, first: Record) -> list[str]:
        names = [name or "" for name in first.fields]
        if not names:
            raise BadData(f"{self.where}, line {first.line}: the header is empty")
        for place, name in enumerate(names, start=1):
            if not name:
                raise BadData(f"{self.where}, line {first.line}: column {place} has no name")
            if names.index(name) + 1 != place:
                raise BadData(f"{self.where}, line {first.line}: the header has {name!r} twice")
        return names

    def _even(self, found: Iterator[Record], width: int, skip: Skip | None) -> Iterator[Record]:
        """Records of the header's width; empty lines at the end are no records, unless there is but one column."""
        blank: Record | None = None
        for record in found:
            if not record.fields and width > 1:
                blank = blank or record
                continue
            if blank is not None:
                self._refuse(f"line {blank.line}: empty, in the middle of the file", skip)
                blank = None
            if not record.fields:
                record = Record(record.line, [None], record.size)  # noqa: PLW2901
            if len(record.fields) != width:
                self._refuse(f"line {record.line}: {len(record.fields)} fields, the header has {width}", skip)
                continue
            yield record

    def _refuse(self, message: str, skip: Skip | None) -> None:
        if skip is None:
            raise BadData(f"{self.where}, {message}")
        skip(f"{message} (in {self.where})")

    def _columns(self, records_: Iterator[Record]) -> Iterator[tuple[list[tuple[str | None, ...]], int]]:
        """Chunks of records, turned: one tuple of texts a column."""
        null = frozenset(self.options.null_values)
        pending: list[Fields] = []
        size = 0
        for record in records_:
            fields = record.fields
            if null and not null.isdisjoint(fields):
                fields = [None if one in null else one for one in fields]
            pending.append(fields)
            size += record.size
            if len(pending) >= TARGET_ROWS or size >= TARGET_BYTES:
                yield list(zip(*pending, strict=True)), size
                pending, size = [], 0
        if pending:
            yield list(zip(*pending, strict=True)), size

    # Either.

    def shape(self, skip: Skip | None, most: int | None = None) -> Shape:
        """The first pass: columns, and how many rows; `most` ends it early."""
        with reading(self.file) as stream:
            lines = self._lines(stream)
            look = self._csv_shape if self.file.format == "csv" else self._jsonl_shape
            return look(lines, skip, most)

    def _csv_shape(self, lines: Iterator[str], skip: Skip | None, most: int | None) -> Shape:
        names, found = self._records(lines, skip)
        guesses = [Guess(infers=self.options.types == "infer") for _ in names]
        count = 0
        for columns, _ in self._columns(found):
            count += len(columns[0])
            for guess, values in zip(guesses, columns, strict=True):
                guess.look(values)
            if most is not None and count >= most:
                break
        columns_ = tuple(guess.column(name) for guess, name in zip(guesses, names, strict=True))
        return Shape(columns=columns_, rows=count)

    def _jsonl_shape(self, lines: Iterator[str], skip: Skip | None, most: int | None) -> Shape:
        shape = Shape()
        for chunk in self._objects(lines, skip):
            shape.columns = columns_of(chunk.rows, shape.columns)
            shape.rows += len(chunk.rows)
            if most is not None and shape.rows >= most:
                break
        return shape

    def chunks(self, columns: Sequence[Column], skip: Skip | None = None) -> Iterator[Chunk]:
        """The second pass: rows with values of the columns' types."""
        with reading(self.file) as stream:
            lines = self._lines(stream)
            if self.file.format == "jsonl":
                yield from self._objects(lines, skip)
                return
            names, found = self._records(lines, skip)
            kinds = {column.name: column.type.kind for column in columns}
            for texts, size in self._columns(found):
                values = [parsed(kinds[name], column) for name, column in zip(names, texts, strict=True)]
                yield Chunk([dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)], size)

    def _objects(self, lines: Iterator[str], skip: Skip | None) -> Iterator[Chunk]:
        pending: list[Row] = []
        size = 0
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            try:
                value = json_value(line)
                if not isinstance(value, dict):
                    raise ValueError("no JSON object")
            except (ValueError, RecursionError) as error:
                self._refuse(f"line {number}: {_reason(error)}", skip)
                continue
            pending.append(value)
            size += len(line)
            if len(pending) >= TARGET_ROWS or size >= TARGET_BYTES:
                yield Chunk(pending, size)
                pending, size = [], 0
        if pending:
            yield Chunk(pending, size)

    def texts(self) -> tuple[list[str], Iterator[Fields]]:
        """A CSV file's header, and its records as they stand."""
        names: list[str] = []

        def rows() -> Iterator[Fields]:
            with reading(self.file) as stream:
                header, found = self._records(self._lines(stream), None)
                names.extend(header)
                yield []
                for record in found:
                    yield record.fields

        made = rows()
        next(made)
        return names, made


def _reason(error: Exception) -> str:
    message = str(getattr(error, "msg", error))
    return f"no JSON ({message})" if not message.startswith("no JSON") else message


def bytes_of(stream: BinaryIO) -> Iterator[bytes]:
    """The rest of a stream in pieces."""
    while data := stream.read(_CHUNK):
        yield data
