"""Writing files where it is not ordinary: nulls and quotes, files that are there, crashes, names that lead away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contracts.destination import COLUMNS, ID, TEXT, fence, rows
from tests.worker.connectors.test_files_edges import csv, read, settings
from worker.batch import Batch, Row
from worker.connectors.files_writer import FilesDestination, FilesWriter
from worker.connectors.protocol import Target
from worker.errors import BadInput, BadValue, SyncworkerError
from worker.job import Write
from worker.sync.types import Column, Kind, Type


def open_writer(
    folder: Path, write: Write, *, sequence: int = 1, token: int = 1, name: str = "x", **options: Any
) -> FilesWriter:
    target = Target(name=name, write=write, columns=COLUMNS, key=("id",), fence=fence(sequence, token), options=options)
    return FilesDestination(settings(folder)).open(target)


def put(writer: FilesWriter, found: list[Row], checkpoint: Any = None, columns: tuple[Column, ...] = COLUMNS) -> None:
    writer.write(Batch(stream="x", rows=found, bytes=1, checkpoint=checkpoint), columns)


def test_null_and_empty_text_go_there_and_back(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, Write.REPLACE)
    found: list[Row] = [{"id": 1, "name": None}, {"id": 2, "name": ""}, {"id": 3, "name": 'a"b\r\nc'}]
    put(writer, found)
    writer.finish()
    assert (tmp_path / "x.csv").read_bytes() == b'id,name\n1,\n2,""\n3,"a""b\r\nc"\n'
    assert read(tmp_path) == found


def test_the_format_is_that_of_the_file_that_is_there(tmp_path: Path) -> None:
    csv(tmp_path, '{"id": 1, "name": "old"}', "x.jsonl")
    writer = open_writer(tmp_path, Write.APPEND)
    put(writer, rows(2, 2))
    writer.finish()
    assert (tmp_path / "x.jsonl").read_text() == '{"id": 1, "name": "old"}\n{"id":2,"name":"n2"}\n'


def test_rows_are_added_in_the_order_of_the_files_own_columns(tmp_path: Path) -> None:
    csv(tmp_path, "name,other,id\nold,o,1")
    writer = open_writer(tmp_path, Write.APPEND)
    put(writer, rows(2, 2))
    writer.finish()
    assert (tmp_path / "x.csv").read_text() == "name,other,id\nold,o,1\nn2,,2\n"


def test_an_upsert_keeps_the_order_and_the_columns_of_the_file(tmp_path: Path) -> None:
    csv(tmp_path, "name,id\na,1\nb,2\nc,3\n")
    writer = open_writer(tmp_path, Write.UPSERT)
    wider = (*COLUMNS, Column(name="age", type=Type(kind=Kind.INTEGER)))
    put(writer, [{"id": 2, "name": "B"}], {"n": 1})
    put(writer, [{"id": 4, "name": "D", "age": 7}], {"n": 2}, wider)
    writer.finish()
    assert (tmp_path / "x.csv").read_text() == "name,id,age\na,1,\nB,2,\nc,3,\nD,4,7\n"


def test_a_crash_after_the_bytes_and_before_the_state_writes_nothing_twice(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, Write.APPEND)
    put(writer, rows(1, 2), {"n": 1})
    with writer._part.path.open("ab") as file:
        file.write(b"3,half a r")
    again = open_writer(tmp_path, Write.APPEND, token=2)
    position = again.position()
    assert position is not None
    assert position.checkpoint == {"n": 1}
    put(again, rows(3, 3), {"n": 2})
    again.finish()
    assert read(tmp_path) == rows(1, 3)


def test_a_crash_after_the_rename_and_before_its_note_appends_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    csv(tmp_path, "id,name\n1,n1\n")
    writer = open_writer(tmp_path, Write.APPEND)
    put(writer, rows(2, 3), {"n": 1})
    monkeypatch.setattr(writer._part, "done", lambda: None)
    writer.finish()
    again = open_writer(tmp_path, Write.APPEND, token=2)
    again.finish()
    assert read(tmp_path) == rows(1, 3)
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith((".part", "-published"))] == []


def test_a_text_that_would_read_back_as_null_is_refused(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, Write.REPLACE, null_values=["NA"])
    with pytest.raises(BadValue, match="column name, row 2: 'NA' is one of null_values"):
        put(writer, [{"id": 1, "name": "x"}, {"id": 2, "name": "NA"}])


def test_what_an_encoding_lacks_is_refused_by_name(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, Write.REPLACE, encoding="latin-1")
    with pytest.raises(BadValue, match="column name, row 1: '€' cannot be written in latin-1"):
        put(writer, [{"id": 1, "name": "€"}])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le"])
def test_an_encoding_without_ascii_is_refused_before_anything_is_written(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(BadInput, match="is read, but not written"):
        open_writer(tmp_path, Write.REPLACE, encoding=encoding)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "", "a/../../b", ".hidden", "x" * 200, "a\0b"])
def test_no_target_leads_out_of_the_folder_or_is_too_long(tmp_path: Path, name: str) -> None:
    with pytest.raises(SyncworkerError, match=r"target|no name"):
        open_writer(tmp_path, Write.REPLACE, name=name)
    assert list(tmp_path.iterdir()) == []


def test_a_column_without_a_name_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    target = Target(
        name="x", write=Write.REPLACE, columns=(ID, Column(name="", type=TEXT)), key=(), fence=fence(), options={}
    )
    with pytest.raises(BadInput, match="rename"):
        FilesDestination(settings(tmp_path)).open(target)


def test_the_rights_of_a_file_that_is_replaced_stay(tmp_path: Path) -> None:
    path = csv(tmp_path, "id,name\n")
    path.chmod(0o640)
    writer = open_writer(tmp_path, Write.REPLACE)
    put(writer, rows(1, 1))
    writer.finish()
    assert path.stat().st_mode & 0o777 == 0o640
