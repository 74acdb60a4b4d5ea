"""Writes CSV and JSONL files: rows gather in a hidden part, durable after each batch, and reach the target by rename.

`replace` renames the part over the target; `append` and `upsert` write a new target from the old one and the part.
Readers see the old file or the new. The part's name carries run and claim, and it is opened anew for each batch, so
that a writer that lost its claim finds nothing to write to.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

from worker.batch import Batch
from worker.connectors.files import FileOptions, FilesSettings
from worker.connectors.files_undo import FileGenerations, KeptFile
from worker.connectors.folder import File, Folder, HeldFolder, as_destination
from worker.connectors.merged_files import appended, counted, repeated, upserted, widened
from worker.connectors.part_file import Part, PartState
from worker.connectors.protocol import Capabilities, Position, Target
from worker.connectors.rising_keys import RisingKeys
from worker.connectors.row_text import RowText
from worker.connectors.tables_in_files import TableFile
from worker.errors import BadInput, BadValue, DestinationUnavailable, Fault
from worker.job import Write
from worker.sync.types import Column, Kind, Type


class FilesDestination:
    """Files of one folder, made where they are missing."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        writes=frozenset({Write.REPLACE, Write.APPEND, Write.UPSERT}), typed=False, removes=False
    )

    def __init__(self, settings: FilesSettings) -> None:
        self._settings = settings
        self._folder = Folder(settings.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def check(self) -> None:
        """Prove that the folder may be written to; it is made where it is missing."""
        root = self._folder.root
        with as_destination():
            root.mkdir(parents=True, exist_ok=True)
        if not os.access(root, os.W_OK | os.X_OK):
            raise DestinationUnavailable(f"folder {root} may not be written to by this user")

    def holds(self, name: str) -> bool:
        with as_destination():
            return self._folder.target(name, self._settings.options(name, {}), name).path.exists()

    def open(self, target: Target) -> FilesWriter:
        """Prepare to write one stream."""
        with as_destination():
            return FilesWriter(self._folder, self._settings, target)

    def generations(self, target: Target) -> FileGenerations:
        with as_destination():
            file, options = self._file(target)
            held = HeldFolder(file)
            count = lambda path: counted(TableFile(replace(held.file, path=path), options))  # noqa: E731
            return FileGenerations(held, target.fence, count)

    def discard(self, target: Target, sequence: int) -> None:
        with as_destination(), closing(HeldFolder(self._file(target)[0])) as held:
            KeptFile(held.file.path, target.fence).at(sequence).unlink(missing_ok=True)

    def _file(self, target: Target) -> tuple[File, FileOptions]:
        options = self._settings.options(target.fence.stream, target.options)
        return self._folder.target(target.name, options, target.fence.stream), options


class FilesWriter:
    """One stream into one file."""

    def __init__(self, folder: Folder, settings: FilesSettings, target: Target) -> None:
        self._target = target
        self._options = settings.options(target.fence.stream, target.options)
        self._file: File = folder.target(target.name, self._options, target.fence.stream)
        self._text = RowText(self._file.format, self._options)
        self._check_names(target.columns)
        self._held = HeldFolder(self._file)
        self._file = self._held.file
        self._kept: int | None = None
        try:
            self._table = TableFile(self._file, self._options)
            self._part = Part(self._file.path, target.fence)
            self._stood = self._part.position
            self._settle()
            if self._part.state is None:
                self._begin()
            self._keys = RisingKeys(target.key, rise=self._state.rows == 0)
        except BaseException:
            self._held.close()
            raise

    def _check_names(self, columns: Sequence[Column]) -> None:
        for column in columns:
            if not column.name and self._file.format == "csv":
                message = "a column without a name cannot be written to CSV; give it one with `rename`"
                raise BadInput([Fault(field=f"{self._target.fence.stream}.rename", message=message)])

    # The part.

    def _settle(self) -> None:
        """What earlier attempts left: rows that were acknowledged are kept, all else is begun anew."""
        part = self._part
        if part.was_published():
            part.done()
        elif part.state is not None and not (part.is_ours and part.is_durable):
            if part.is_durable and part.state.write != Write.REPLACE:
                self._publish(part.state)
                part.done()
            else:
                part.drop()

    def _begin(self) -> None:
        """A new part, with a header where there are columns already; those of the file that is there come first."""
        columns = [column.name for column in self._target.columns if column.type.kind is not Kind.NULL]
        columns = columns or [column.name for column in self._target.columns] or list(self._target.key)
        if self._target.write is not Write.REPLACE and self._file.format == "csv" and self._file.path.exists():
            there, _ = self._table.texts()
            columns = there + [name for name in columns if name not in there]
        header = self._packed(self._text.header(columns))
        self._part.begin(self._target.write, self._target.key, columns, header)

    def _packed(self, data: bytes) -> bytes:
        """A piece of the file: with gzip, a member of its own."""
        return gzip.compress(data, mtime=0) if self._file.zipped and data else data

    @property
    def _state(self) -> PartState:
        assert self._part.state is not None
        return self._part.state

    # The protocol.

    def position(self) -> Position | None:
        """What was made durable; with `replace` only this run's."""
        if self._target.write is Write.REPLACE and not self._part.is_durable:
            return None
        return self._part.position

    def stood(self) -> Position | None:
        return self._stood

    def kept(self) -> int | None:
        return self._kept

    def write(self, batch: Batch, columns: tuple[Column, ...]) -> None:
        """Add the batch to the part; it is on the disk when this returns."""
        with as_destination():
            self._part.prove()
            if self._part.is_finished and batch.checkpoint is None and self._target.write is Write.APPEND:
                return  # an earlier attempt of this run had appended all of it
            self._fit(columns)
            types = {column.name: column.type for column in columns}
            shown = [Column(name=name, type=types.get(name, Type(kind=Kind.TEXT))) for name in self._state.columns]
            data = self._text.rows(batch, shown, self._target.key if self._target.write is Write.UPSERT else ())
            self._part.add(self._packed(data), batch.checkpoint, batch.count)
            self._keys.see(batch.rows)

    def _fit(self, columns: Sequence[Column]) -> None:
        """New columns stand behind the others; a CSV part that has rows is written anew with the wider header."""
        known = set(self._state.columns)
        new = [column.name for column in columns if column.name not in known]
        if not new:
            return
        self._check_names(columns)
        wider = [*self._state.columns, *new]
        if self._file.format == "csv":
            pieces = widened(self._as_table(self._part.path), wider, self._text)
            self._part.rewrite(self._zipped(pieces), wider)
        else:
            self._part.widen(wider)

    def staged(self) -> tuple[int, int]:
        """(rows that readers see, rows that they would see)."""
        with as_destination():
            return (counted(self._table) if self._file.path.exists() else 0), self._state.rows

    def finish(self) -> int:
        """Put the rows into the target, at once for whoever reads it."""
        with as_destination():
            self._part.prove()
            if self._target.write is Write.REPLACE:
                self._refuse_repeated()
            keeping = KeptFile(self._file.path, self._target.fence) if self._target.keeps else None
            kept = keeping.keep() if keeping else None
            self._publish(self._state)
            self._part.done()
            if keeping:
                keeping.drop_others(kept)
                self._kept = counted(self._as_table(kept)) if kept else None
            return 0

    def _refuse_repeated(self) -> None:
        """A file has no unique index: look for a key that is there twice, where the rows' order does not tell."""
        if not self._target.key or self._keys.rise:
            return
        if found := repeated(self._as_table(self._part.path), self._text, self._target.key):
            name = ", ".join(self._target.key)
            message = f"column {name}, row {found[0]}: the key {found[1]} is there already; name another, or none"
            raise BadValue(message, column=name, row=found[0])

    def _publish(self, state: PartState) -> None:
        """Rename the part, or what the old target and the part make together, over the target."""
        exists = self._file.path.exists()
        if state.write == Write.REPLACE or (state.write == Write.APPEND and not exists):
            self._part.rename_over()
            return
        if state.rows == 0 and exists:
            return
        part = self._as_table(self._part.path)
        if state.write == Write.APPEND:
            pieces = appended(self._table, part, self._text)
        else:
            pieces = upserted(self._table if exists else None, part, self._text, state.key)
        self._part.publish(self._zipped(pieces))

    def _as_table(self, path: Path) -> TableFile:
        shown = Path(self._file.where).with_name(path.name)
        return TableFile(replace(self._file, path=path, shown=shown), self._options)

    def _zipped(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        return map(self._packed, pieces)

    def abort(self) -> None:
        """Forget a `replace`; rows of `append` and `upsert` that were acknowledged are kept."""
        with as_destination():
            if self._part.state is None:
                return
            if self._part.is_durable and self._target.write is not Write.REPLACE:
                self.finish()
            else:
                self._part.drop()

    def close(self) -> None:
        self._held.close()
