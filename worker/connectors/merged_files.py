"""A target file anew, in pieces: with a part's rows behind its own, or in the places of those with the same key.

Memory stays flat: an upsert keeps the part's rows in a temporary SQLite database, keyed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing

from worker.connectors.csv_text import Fields
from worker.connectors.folder import reading
from worker.connectors.row_text import RowText
from worker.connectors.tables_in_files import TableFile, bytes_of
from worker.errors import BadData
from worker.sync.values import json_text, json_value

_PIECE = 1 << 20


def appended(target: TableFile, part: TableFile, text: RowText) -> Iterator[bytes]:
    """The target's rows, then the part's. The part's header begins with the target's."""
    if target.file.format == "jsonl":
        yield from _with_line_end(target)
        with reading(part.file) as stream:
            yield from bytes_of(stream)
        return
    old, old_rows = target.texts()
    names, rows = part.texts()
    if old == names:
        yield from _with_line_end(target)
        yield from _pieces((text.sheet.record(row) for row in rows), text)
        old_rows.close()  # type: ignore[attr-defined]
        return
    yield text.header(names)
    yield from _pieces((text.sheet.record([*row, *[None] * (len(names) - len(old))]) for row in old_rows), text)
    yield from _pieces((text.sheet.record(row) for row in rows), text)


def _with_line_end(table: TableFile) -> Iterator[bytes]:
    """The file's bytes; a last line without an end gets one."""
    last = b"\n"
    with reading(table.file) as stream:
        for data in bytes_of(stream):
            last = data[-1:]
            yield data
    if last != b"\n":
        yield b"\n"


def _pieces(lines: Iterable[str], text: RowText) -> Iterator[bytes]:
    pending: list[str] = []
    size = 0
    for line in lines:
        pending.append(line)
        size += len(line)
        if size >= _PIECE:
            yield text.encoded("".join(pending))
            pending, size = [], 0
    if pending:
        yield text.encoded("".join(pending))


def widened(part: TableFile, names: Sequence[str], text: RowText) -> Iterator[bytes]:
    """The part under a wider header, its rows null in the new columns."""
    header, rows = part.texts()
    more = [None] * (len(names) - len(header))
    yield text.header(names)
    yield from _pieces((text.sheet.record([*row, *more]) for row in rows), text)


def counted(table: TableFile) -> int:
    """How many rows a file has. One that is not what its name says is counted by its lines."""
    try:
        if table.file.format == "csv":
            _, rows = table.texts()
            return sum(1 for _ in rows)
        with reading(table.file) as stream:
            return sum(1 for line in stream if not line.isspace())
    except BadData:
        with reading(table.file) as stream:
            return sum(1 for _ in stream)


def upserted(target: TableFile | None, part: TableFile, text: RowText, key: Sequence[str]) -> Iterator[bytes]:
    """The target's rows in their order, those of the part in their places by key, or behind. The last of a key wins."""
    read = _csv_rows if part.file.format == "csv" else _jsonl_rows
    with closing(sqlite3.connect("")) as kept:  # a temporary file that SQLite deletes
        kept.execute("CREATE TABLE rows (key TEXT PRIMARY KEY, place INTEGER, line TEXT) WITHOUT ROWID")
        names, rows = read(part, key, text)
        kept.executemany(
            "INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET line = excluded.line",
            ((one, place, line) for place, (one, line) in enumerate(rows)),
        )
        yield text.header(names)
        if target is not None:
            _, old = read(target, key, text, width=len(names))
            yield from _pieces(_replaced(old, kept), text)
        left = (line for (line,) in kept.execute("SELECT line FROM rows WHERE line IS NOT NULL ORDER BY place"))
        yield from _pieces(left, text)


def repeated(part: TableFile, text: RowText, key: Sequence[str]) -> tuple[int, str] | None:
    """The first row (counted from 1) whose key, as JSON, a row before it has; None where there is none."""
    read = _csv_rows if part.file.format == "csv" else _jsonl_rows
    with closing(sqlite3.connect("")) as seen:
        seen.execute("CREATE TABLE keys (key TEXT PRIMARY KEY) WITHOUT ROWID")
        _, rows = read(part, key, text)
        for number, (one, _) in enumerate(rows, start=1):
            if not seen.execute("INSERT OR IGNORE INTO keys VALUES (?)", (one,)).rowcount:
                return number, one
    return None


def _replaced(old: Iterator[tuple[str, str]], kept: sqlite3.Connection) -> Iterator[str]:
    """The old lines, or the new ones of the same key; what was used once is not used again."""
    for key, line in old:
        found = kept.execute("SELECT line FROM rows WHERE key = ?", (key,)).fetchone()
        if found is None:
            yield line
        elif found[0] is not None:
            kept.execute("UPDATE rows SET line = NULL WHERE key = ?", (key,))
            yield found[0]


def _csv_rows(
    table: TableFile, key: Sequence[str], text: RowText, width: int | None = None
) -> tuple[list[str], Iterator[tuple[str, str]]]:
    names, rows = table.texts()
    missing = [name for name in key if name not in names]
    if missing:
        raise BadData(f"{table.where} has no column {missing[0]}, which is the key of the rows to be written")
    places = [names.index(name) for name in key]
    more: Fields = [None] * ((width or len(names)) - len(names))
    return names, ((json_text([row[place] for place in places]), text.sheet.record([*row, *more])) for row in rows)


def _jsonl_rows(
    table: TableFile, key: Sequence[str], text: RowText, width: int | None = None
) -> tuple[list[str], Iterator[tuple[str, str]]]:
    def rows() -> Iterator[tuple[str, str]]:
        with reading(table.file) as stream:
            for number, line in enumerate(stream, start=1):
                if line.isspace():
                    continue
                written = line.decode(table.options.encoding)
                yield json_text(_key_of(table, number, written, key)), written.rstrip("\r\n") + "\n"

    return [], rows()


def _key_of(table: TableFile, number: int, written: str, key: Sequence[str]) -> list[object]:
    try:
        row = json_value(written)
        if isinstance(row, Mapping):
            return [row.get(name) for name in key]
    except ValueError as error:
        raise BadData(f"{table.where}, line {number}: {error}") from None
    raise BadData(f"{table.where}, line {number}: no JSON object")
