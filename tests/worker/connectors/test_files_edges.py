"""Files where they are not ordinary: quotes, nulls, types, broken content, paths that lead away, crashes."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from worker.batch import Row
from worker.connectors import settings_of
from worker.connectors.files import FilesSettings
from worker.connectors.files_source import FilesSource
from worker.connectors.sorted_rows import sorted_rows
from worker.errors import BadData, BadInput, StreamNotFound
from worker.job import Mode, StreamSpec, Write


def settings(folder: Path, **options: Any) -> FilesSettings:
    return FilesSettings.model_validate({"path": str(folder), **options})


def read(folder: Path, name: str = "x", **options: Any) -> list[Row]:
    spec = StreamSpec(name=name, write=Write.REPLACE, options=options)
    return [row for batch in FilesSource(settings(folder)).read(spec, None) for row in batch.rows]


def csv(folder: Path, text: str | bytes, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def column(folder: Path, *values: str) -> list[Any]:
    csv(folder, "a,b\n" + "".join(f"{value},.\n" for value in values))
    return [row["a"] for row in read(folder)]


def test_an_unquoted_empty_field_is_null_and_a_quoted_one_is_empty_text(tmp_path: Path) -> None:
    csv(tmp_path, 'a,b,c\n,"",x\n"","a,"",b",\n')
    assert read(tmp_path) == [{"a": None, "b": "", "c": "x"}, {"a": "", "b": 'a,",b', "c": None}]


def test_fields_may_hold_anything_between_quotes(tmp_path: Path) -> None:
    csv(tmp_path, 'a,b\r\n"line\r\none\ntwo","say ""hi"", ok"\r\n5" pipe,x\r\n')
    assert read(tmp_path) == [
        {"a": "line\r\none\ntwo", "b": 'say "hi", ok'},
        {"a": '5" pipe', "b": "x"},
    ]


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "-20", "0"], [1, -20, 0]),
        (["9223372036854775807"], [2**63 - 1]),
        (["9223372036854775808"], ["9223372036854775808"]),
        (["12345678901234567890"], ["12345678901234567890"]),
        (["007", "1"], ["007", "1"]),
        (["+1"], ["+1"]),
        (["-0"], ["-0"]),
        ([" 1"], [" 1"]),
        (["1_000"], ["1_000"]),
        (["٣"], ["٣"]),
        (["1.5", "0.1"], [1.5, 0.1]),
        (["1", "1.5"], [Decimal(1), Decimal("1.5")]),
        (["12.50", "0.10"], [Decimal("12.50"), Decimal("0.10")]),
        (["12345678901234567890.5"], [Decimal("12345678901234567890.5")]),
        (["1e-05", "0.5"], [1e-05, 0.5]),
        (["1e5"], ["1e5"]),
        (["1.5", "Infinity"], [1.5, float("inf")]),
        (["nan"], ["nan"]),
        (["1.", "2."], ["1.", "2."]),
        ([".5"], [".5"]),
        (["true", "false"], [True, False]),
        (["True", "false"], ["True", "false"]),
        (["2024-02-29"], [date(2024, 2, 29)]),
        (["2023-02-29"], ["2023-02-29"]),
        (["20240229"], [20240229]),
        (["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.120Z"], [datetime(2024, 1, 1, tzinfo=UTC)] * 2),
        (["2024-01-01T00:00:00.000Z"], ["2024-01-01T00:00:00.000Z"]),
        (["2024-01-01T00:00:00+02:00"], ["2024-01-01T00:00:00+02:00"]),
        (["2024-01-01 00:00:00"], ["2024-01-01 00:00:00"]),
        (["1", "x"], ["1", "x"]),
        (["1", "", "3"], [1, None, 3]),
        (["", ""], [None, None]),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else None,
)
def test_a_column_is_typed_only_where_every_value_goes_there_and_back(
    tmp_path: Path, texts: list[str], values: list[Any]
) -> None:
    found = column(tmp_path, *texts)
    if isinstance(values[0], datetime):
        assert [type(one) for one in found] == [datetime] * len(values)
    else:
        assert found == values
        assert [type(one) for one in found] == [type(one) for one in values]


def test_types_may_be_left_alone(tmp_path: Path) -> None:
    csv(tmp_path, "a,b\n1,true\n")
    assert read(tmp_path, types="text") == [{"a": "1", "b": "true"}]


def test_more_texts_may_mean_null(tmp_path: Path) -> None:
    csv(tmp_path, "a,b\n1,NA\n-,x\n")
    assert read(tmp_path, null_values=["NA", "-"]) == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_encoding_and_delimiter_can_be_said(tmp_path: Path) -> None:
    csv(tmp_path, "a;b\né;1\n".encode("latin-1"))
    assert read(tmp_path, encoding="latin-1", delimiter=";") == [{"a": "é", "b": 1}]


def test_utf_16_is_read(tmp_path: Path) -> None:
    csv(tmp_path, "a,b\né,1\n".encode("utf-16"))
    assert read(tmp_path, encoding="utf-16") == [{"a": "é", "b": 1}]


def test_a_hundred_thousand_rows_are_read_in_seconds(tmp_path: Path) -> None:
    """Of this process's own time, types found and values made: a third of that on a quiet machine."""
    line = '{0},{0:06},"name, {0}",Paris,"",0.{0},12.50,true,2024-01-02T03:04:05Z\n'
    csv(tmp_path, "id,code,name,city,note,x,price,ok,at\n" + "".join(map(line.format, range(100_000))))
    began = process_time()
    assert len(read(tmp_path)) == 100_000
    assert process_time() - began < 10


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    csv(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n")
    assert read(tmp_path) == [{"a": 1, "b": 2}]


def test_a_header_alone_is_no_row_and_keeps_its_columns(tmp_path: Path) -> None:
    csv(tmp_path, "a,b\n")
    stream = FilesSource(settings(tmp_path)).describe(StreamSpec(name="x"))
    assert [one.name for one in stream.columns] == ["a", "b"]
    assert stream.rows == 0
    assert read(tmp_path) == []


def test_empty_lines_at_the_end_are_no_rows(tmp_path: Path) -> None:
    csv(tmp_path, "a,b\n1,2\n\n\n")
    assert read(tmp_path) == [{"a": 1, "b": 2}]


def test_an_empty_line_of_one_column_is_a_null(tmp_path: Path) -> None:
    csv(tmp_path, "a\n1\n\n2\n\n")
    assert [row["a"] for row in read(tmp_path)] == [1, None, 2, None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: not even a header"),
        (b"a,b\n1,2\n3\n4,5\n", r"line 3: 1 fields, the header has 2"),
        (b'a,b\n"1\n2",2\n3,4,5\n', r"line 4: 3 fields, the header has 2"),
        (b"a,b\n1,2\n\n3,4\n", r"line 3: empty, in the middle"),
        (b"a,b,a\n1,2,3\n", r"line 1: the header has 'a' twice"),
        (b"a,,b\n1,2,3\n", r"line 1: column 2 has no name"),
        (b"a,b\n1,2\n3,\xff\n", r"line 3: the byte 0xff is no utf-8"),
        (b'a,b\n1,"2\n3,4\n', r"line 2: a quote is opened and never closed"),
        (b'a,b\n1,2\n"x"y,2\n', r"line 3: something stands behind a closing quote"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value[:24],
)
def test_broken_csv_fails_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    csv(tmp_path, content)
    with pytest.raises(BadData, match=message):
        read(tmp_path)


def test_a_wrong_byte_far_down_is_found_in_its_line(tmp_path: Path) -> None:
    csv(tmp_path, b"a,b\n" + b"1,2\n" * 60_000 + b"\xc3,2\n")
    with pytest.raises(BadData, match="line 60002"):
        read(tmp_path)


def test_ragged_rows_can_be_skipped_and_are_told(tmp_path: Path) -> None:
    csv(tmp_path, "a,b\n1,2\n3\n4,5\n6,7,8\n")
    source = FilesSource(settings(tmp_path, on_bad_row="skip"))
    found = [row for batch in source.read(StreamSpec(name="x"), None) for row in batch.rows]
    assert found == [{"a": 1, "b": 2}, {"a": 4, "b": 5}]
    (told,) = source.told()
    assert "2 values skipped" in told
    assert "line 3" in told


def test_jsonl_keeps_every_digit(tmp_path: Path) -> None:
    csv(tmp_path, '{"a": 123456789012345678901234567890, "b": 0.1234567890123456789, "c": 1.10}\n', "x.jsonl")
    found = read(tmp_path)
    assert found == [{"a": 123456789012345678901234567890, "b": Decimal("0.1234567890123456789"), "c": 1.1}]


@pytest.mark.parametrize("line", ["{", "[1]", '{"a": NaN}', '{"a": 1, "a": 2}', "null", '{"a": 1} x'])
def test_a_bad_line_of_jsonl_fails_with_its_number_or_is_skipped(tmp_path: Path, line: str) -> None:
    csv(tmp_path, f'{{"a": 1}}\n{line}\n{{"a": 3}}\n', "x.jsonl")
    with pytest.raises(BadData, match="line 2"):
        read(tmp_path)
    assert read(tmp_path, on_bad_row="skip") == [{"a": 1}, {"a": 3}]


def test_a_cut_off_gzip_fails(tmp_path: Path) -> None:
    csv(tmp_path, gzip.compress(b"a,b\n" + os.urandom(5000).hex().encode())[:-200], "x.csv.gz")
    with pytest.raises(BadData, match="broken or cut off"):
        read(tmp_path)


def test_several_files_are_one_stream_by_glob(tmp_path: Path) -> None:
    csv(tmp_path, "a,b\n1,x\n", "day-1.csv")
    csv(tmp_path, gzip.compress(b"b,a,c\ny,2.5,z\n"), "day-2.csv.gz")
    assert read(tmp_path, "days", glob="day-*") == [
        {"a": Decimal(1), "b": "x"},
        {"b": "y", "a": Decimal("2.5"), "c": "z"},
    ]


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret", "ghost", ""])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    csv(tmp_path, "a\n1\n", "secret.csv")
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises(StreamNotFound):
        read(inner, name)
    with pytest.raises(BadInput, match="leads out"):
        read(inner, "x", glob="../*.csv")


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    secret = csv(tmp_path, "a\n1\n", "secret.csv")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "x.csv").symlink_to(secret)
    with pytest.raises(BadInput, match="leads out"):
        read(inner)
    assert FilesSource(settings(inner)).streams() == []


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.csv")
    with pytest.raises(BadData, match="no regular file"):
        read(tmp_path)


def test_two_files_of_one_stem_need_a_format(tmp_path: Path) -> None:
    csv(tmp_path, "a\n1\n")
    csv(tmp_path, '{"a": 2}\n', "x.jsonl")
    with pytest.raises(BadInput, match="say which with `format`"):
        read(tmp_path)
    assert read(tmp_path, format="jsonl") == [{"a": 2}]
    assert read(tmp_path, "x.csv") == [{"a": 1}]


def test_streams_are_stems_and_one_broken_file_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    csv(tmp_path, "a,updated_at\n1,2024-01-01T00:00:00Z\n", "good.csv")
    csv(tmp_path, "", "broken.csv")
    csv(tmp_path, gzip.compress(b'{"a": 1}\n'), "sub/deep.jsonl.gz")
    csv(tmp_path, "a\n", ".hidden.csv")
    csv(tmp_path, "a\n", "notes.txt")
    found = {stream.name: stream for stream in FilesSource(settings(tmp_path)).streams()}
    assert list(found) == ["broken", "good", "sub/deep"]
    assert found["good"].cursor == "updated_at"
    assert [one.name for one in found["sub/deep"].columns] == ["a"]


def test_one_file_can_be_the_connection(tmp_path: Path) -> None:
    path = csv(tmp_path, "a\n1\n", "data.txt")
    source = FilesSource(settings(path, format="csv"))
    assert [stream.name for stream in source.streams()] == ["data"]
    assert [row for batch in source.read(StreamSpec(name="data"), None) for row in batch.rows] == [{"a": 1}]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"path": "s3://bucket/x"}, "path: must be a folder or file of this machine"),
        ({"path": "x", "format": "parquet"}, "format: .*csv"),
        ({"path": "x", "encoding": "klingon"}, "encoding: 'klingon' is no encoding"),
        ({"path": "x", "delimiter": ";;"}, "delimiter: "),
        ({"path": "x", "null_value": ["NA"]}, "null_value: .*did you mean null_values"),
        ({}, "path: is needed"),
    ],
)
def test_settings_that_cannot_be_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        settings_of("files", wrong)


def test_options_of_a_stream_that_cannot_be_are_named(tmp_path: Path) -> None:
    csv(tmp_path, "a\n1\n")
    with pytest.raises(BadInput, match=r"x\.encoding: 'klingon' is no encoding"):
        read(tmp_path, encoding="klingon")


def test_an_incremental_read_sorts_what_the_file_does_not(tmp_path: Path) -> None:
    csv(tmp_path, "id,n\n3,30\n1,10\n2,30\n4,\n")
    spec = StreamSpec(name="x", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="n", key=("id",))
    (batch,) = FilesSource(settings(tmp_path)).read(spec, None)
    assert [row["id"] for row in batch.rows] == [1, 2, 3]


def test_rows_are_sorted_beyond_what_memory_holds() -> None:
    numbers = [(number * 7919) % 1000 for number in range(1000)]
    found = sorted_rows(({"n": number} for number in numbers), lambda row: row["n"], run=64)
    assert [row["n"] for row in found] == sorted(numbers)
