"""Reads CSV and JSONL files. The types of the columns come from a first pass over the whole file.

A file that changes while it is read fails the read, to be tried again: half of it would be of another time. Full reads
go on by row where the destination cannot start anew; incremental ones are sorted by cursor and key first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from worker.batch import Batch, Row
from worker.connectors.checkpoint_values import pack, unpack
from worker.connectors.files import FileOptions, FilesSettings
from worker.connectors.folder import Folder
from worker.connectors.notes import Notes
from worker.connectors.protocol import Capabilities, Stream
from worker.connectors.row_batches import batched
from worker.connectors.sorted_rows import sorted_rows
from worker.connectors.sql_scan import check_spec, lower_bound, suggested_cursor
from worker.connectors.tables_in_files import TableFile
from worker.errors import BadData, BadInput, Fault, SourceUnavailable, SyncworkerError
from worker.job import Mode, StreamSpec, Write
from worker.sync.types import Column, Kind, join

_SAMPLE = 1000
_NO_ORDER = frozenset({Kind.JSON, Kind.ARRAY})


@dataclass(frozen=True)
class _Found:
    """A stream's files with what the first pass learned of them."""

    tables: tuple[TableFile, ...]
    stamps: list[list[int]]
    columns: tuple[Column, ...]
    rows: int


class FilesSource:
    """A stream is a file's stem, or all files that match its `glob`."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, settings: FilesSettings) -> None:
        self._settings = settings
        self._folder = Folder(settings.path)
        self._notes = Notes()
        self._found: dict[str, _Found] = {}
        self._without_cursor = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def check(self) -> None:
        """Prove that the folder is there and may be listed."""
        self._folder.names()

    def founded(self) -> bool:
        return self._folder.root.is_dir()

    def streams(self) -> list[Stream]:
        """Every CSV and JSONL file; columns as the first rows have them."""
        return [self._sampled(name) for name in self._folder.names()]

    def _sampled(self, name: str) -> Stream:
        try:
            options = self._settings.options(name, {})
            tables = [TableFile(file, options) for file in self._folder.find(name, options)]
            columns = _joined([table.shape(lambda line: None, _SAMPLE).columns for table in tables[:1]])
        except SyncworkerError:  # one broken file must not hide the others; a run of it will say what is wrong
            columns = ()
        return Stream(name=name, columns=columns, cursor=suggested_cursor(columns))

    def describe(self, spec: StreamSpec) -> Stream:
        """The stream with the columns of all its rows."""
        found = self._look(spec)
        return Stream(name=spec.name, columns=found.columns, cursor=suggested_cursor(found.columns), rows=found.rows)

    def told(self) -> list[str]:
        return self._notes.told()

    def _options(self, spec: StreamSpec) -> FileOptions:
        return self._settings.options(spec.name, spec.options)

    def _look(self, spec: StreamSpec) -> _Found:
        options = self._options(spec)
        tables = tuple(TableFile(file, options) for file in self._folder.find(spec.name, options))
        stamps = _stamps(tables)
        known = self._found.get(spec.name)
        if known is not None and known.stamps == stamps and known.tables == tables:
            return known
        skip: Callable[[str], None] | None = None if options.on_bad_row == "fail" else lambda line: None
        shapes = [table.shape(skip) for table in tables]
        columns = _joined([shape.columns for shape in shapes])
        found = _Found(tables, stamps, columns, sum(shape.rows for shape in shapes))
        self._unchanged(found)
        self._found[spec.name] = found
        return found

    def _unchanged(self, found: _Found) -> None:
        if _stamps(found.tables) != found.stamps:
            names = ", ".join(table.file.path.name for table in found.tables)
            raise SourceUnavailable(f"{names} changed while it was read; it will be read again")

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        """Batches behind `checkpoint`: {"rows", "stamps"} of a full read, {"by", "after"} of an incremental one."""
        found = self._look(spec)
        if not found.columns:  # JSONL without a line
            return
        check_spec(spec, Stream(name=spec.name, columns=found.columns))
        if spec.mode is Mode.FULL:
            yield from self._full(spec, found, checkpoint)
        else:
            yield from self._incremental(spec, found, checkpoint)
        self._unchanged(found)

    def _chunks(self, spec: StreamSpec, found: _Found) -> Iterator[tuple[list[Row], int]]:
        skips = self._options(spec).on_bad_row == "skip"
        for table in found.tables:
            for chunk in table.chunks(found.columns, self._skipped if skips else None):
                yield chunk.rows, chunk.size

    def _skipped(self, line: str) -> None:
        self._notes.add("rows", "skipped because they are broken", line)

    def _full(self, spec: StreamSpec, found: _Found, checkpoint: Any) -> Iterator[Batch]:
        behind = self._behind(spec, found, checkpoint)
        seen = 0
        for rows, size in self._chunks(spec, found):
            seen += len(rows)
            if seen <= behind:
                continue
            left = rows[max(0, len(rows) - (seen - behind)) :]
            place = None if spec.write is Write.REPLACE else {"rows": seen, "stamps": found.stamps}
            yield Batch(stream=spec.name, rows=left, bytes=size, checkpoint=place, first_row=seen - len(left) + 1)

    def _behind(self, spec: StreamSpec, found: _Found, checkpoint: Any) -> int:
        """How many rows were read before. Where the file changed since, an upsert can begin anew, an append cannot."""
        if checkpoint is None:
            return 0
        if checkpoint["stamps"] == found.stamps:
            return int(checkpoint["rows"])
        if spec.write is Write.APPEND:
            raise BadData(
                f"{spec.name} changed since the interrupted attempt, which had appended {checkpoint['rows']:,} "
                "of its rows; put the old file back, or reset the stream's checkpoint to append the new one whole"
            )
        return 0

    def _incremental(self, spec: StreamSpec, found: _Found, checkpoint: Any) -> Iterator[Batch]:
        cursor = str(spec.cursor)
        kind = next(column.type.kind for column in found.columns if column.name == cursor)
        if kind in _NO_ORDER:
            raise BadInput([Fault(field=f"{spec.name}.cursor", message=f"{cursor} is {kind}, which has no order")])
        key = tuple(name for name in spec.key if name != cursor)
        order = _order(cursor, key)
        last = self._last(spec, [cursor, *key], checkpoint)
        wanted = self._wanted(spec, key, last)
        rows = sorted_rows((row for rows, _ in self._chunks(spec, found) for row in rows if wanted(row)), order)
        appends = spec.write is Write.APPEND
        self._without_cursor = 0
        yield from batched(
            spec.name,
            rows,
            after=_after([cursor, *key], checkpoint if last and spec.lookback is not None else None),
            edge=(lambda row: row[cursor]) if appends and not key else None,
        )
        self._notes.null_cursors(self._without_cursor, spec.name, cursor)

    def _last(self, spec: StreamSpec, by: list[str], checkpoint: Any) -> tuple[Any, ...] | None:
        """Cursor and key of the last row read. A checkpoint by other columns begins anew, or is refused by append."""
        if checkpoint is None:
            return None
        if checkpoint.get("by") == by:
            return tuple(map(unpack, checkpoint["after"]))
        if spec.write is Write.APPEND:
            message = f"the checkpoint is by {checkpoint.get('by')}, not by this cursor and key; reset the job"
            raise BadInput([Fault(field=f"{spec.name}.cursor", message=message)])
        return None

    def _wanted(self, spec: StreamSpec, key: tuple[str, ...], last: tuple[Any, ...] | None) -> Callable[[Row], bool]:
        """Whether a row is behind the checkpoint; one without a cursor is counted, one without a key refused."""
        cursor = str(spec.cursor)
        appends = spec.write is Write.APPEND
        start = lower_bound(spec, last[0]) if last and not appends else None
        order = _order(cursor, key)

        def wanted(row: Row) -> bool:
            value = row.get(cursor)
            if value is None:
                self._without_cursor += 1
                return False
            missing = next((name for name in key if row.get(name) is None), None)
            if missing is not None:
                raise BadData(f"{spec.name}: the key column {missing} is null in the row with {cursor} {value!r}")
            if last is None:
                return True
            try:
                return bool(order(row) > last if appends else value >= start)
            except TypeError:
                message = f"{cursor} was {last[0]!r} at the checkpoint and is {value!r} now: two types; reset the job"
                raise BadData(message) from None

        return wanted


def _order(cursor: str, key: tuple[str, ...]) -> Callable[[Row], Any]:
    return lambda row: (row[cursor], *(row[name] for name in key))


def _after(order: list[str], start: Any) -> Callable[[Row], Any]:
    """The checkpoint behind a row; while a lookback reads old rows again, the one that reading `start`ed from."""
    floor = unpack(start["after"][0]) if start is not None else None

    def after(row: Row) -> Any:
        if floor is not None and row[order[0]] < floor:
            return start
        return {"by": order, "after": [pack(row[name]) for name in order]}

    return after


def _stamps(tables: tuple[TableFile, ...]) -> list[list[int]]:
    try:
        return [table.file.stamp for table in tables]
    except OSError as error:
        raise SourceUnavailable(f"{error.filename}: {error.strerror}") from error


def _joined(shapes: list[tuple[Column, ...]]) -> tuple[Column, ...]:
    """The columns of several files: all names, each with a type that holds all its values."""
    joined: dict[str, Column] = {}
    for columns in shapes:
        for column in columns:
            before = joined.get(column.name)
            kind = column.type if before is None else join(before.type, column.type)
            nullable = column.nullable or (before is not None and before.nullable)
            joined[column.name] = Column(name=column.name, type=kind, nullable=nullable)
    everywhere = [name for name in joined if all(any(c.name == name for c in columns) for columns in shapes)]
    return tuple(
        column if column.name in everywhere else Column(name=column.name, type=column.type)
        for column in joined.values()
    )
