"""Files where they should not be: links, pipes, devices, bombs, and a link that is swapped between look and use."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.destination import COLUMNS, fence, rows
from worker import confined, connectors, places
from worker.batch import Batch, Row
from worker.connectors import unpacking
from worker.connectors.files import FilesSettings
from worker.connectors.files_source import FilesSource
from worker.connectors.files_writer import FilesDestination
from worker.connectors.protocol import Target
from worker.errors import BadData, BadInput, DestinationUnavailable, SyncworkerError
from worker.job import StreamSpec, Write

SECRET = "a,b\ngeheim,1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a connection, beside a file that is none of its business."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.csv").write_text(SECRET)
    made = tmp_path / "inside"
    made.mkdir()
    return made


def read(folder: Path, name: str = "x", **options: Any) -> list[Row]:
    source = FilesSource(FilesSettings.model_validate({"path": str(folder)}))
    spec = StreamSpec(name=name, write=Write.REPLACE, options=options)
    return [row for batch in source.read(spec, None) for row in batch.rows]


def write(folder: Path, name: str = "x", mode: Write = Write.REPLACE) -> None:
    settings = FilesSettings.model_validate({"path": str(folder), "format": "csv"})
    writer = FilesDestination(settings).open(
        Target(name=name, write=mode, columns=COLUMNS, key=("id",), fence=fence(2, 1))
    )
    try:
        writer.write(Batch(stream="x", rows=rows(1, 2), bytes=1, checkpoint=1), COLUMNS)
        writer.finish()
    finally:
        writer.close()


def untouched(folder: Path) -> bool:
    outside = folder.parent / "outside"
    return [path.name for path in outside.iterdir()] == ["x.csv"] and (outside / "x.csv").read_text() == SECRET


@pytest.mark.parametrize("name", ["x", "../outside/x", "../outside/x.csv", "/etc/passwd", "a/../../outside/x", "x\0"])
def test_no_name_of_a_stream_leads_out(folder: Path, name: str) -> None:
    (folder / "x.csv").symlink_to(folder.parent / "outside" / "x.csv")
    with pytest.raises(SyncworkerError) as refusal:
        read(folder, name)
    assert "geheim" not in str(refusal.value)
    with pytest.raises(BadInput):
        write(folder, name)
    assert untouched(folder)


def test_a_tilde_is_a_name_like_any_other(folder: Path) -> None:
    write(folder, "~/x")
    assert (folder / "~" / "x.csv").exists()


@pytest.mark.parametrize("glob", ["../outside/*.csv", "/etc/*", "*/../../outside/*", "**/../**/*.csv", "link/*.csv"])
def test_no_glob_leads_out(folder: Path, glob: str) -> None:
    (folder / "link").symlink_to(folder.parent / "outside")
    with pytest.raises(SyncworkerError) as refusal:
        read(folder, glob=glob)
    assert "geheim" not in str(refusal.value)


def test_links_that_stay_inside_are_followed(folder: Path) -> None:
    (folder / "2026").mkdir()
    (folder / "2026" / "data.csv").write_text("a\n1\n")
    (folder / "x.csv").symlink_to("2026/data.csv")
    assert read(folder) == [{"a": 1}]


def test_a_pipe_is_refused_at_once_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "x.csv")
    with pytest.raises(BadData, match="no regular file"):
        read(folder)
    with pytest.raises(BadInput, match="no regular file"):
        connectors.open_end("sqlite", {"path": str(folder / "x.csv")}, "source").check()


def swapped(monkeypatch: pytest.MonkeyPatch, path: Path, swap: Callable[[], None]) -> None:
    """Swap as soon as somebody has opened `path` to look at it: between the look and the use."""
    real, waiting = os.open, True

    def opened(given: Any, *more: Any, **how: Any) -> int:
        nonlocal waiting
        descriptor = real(given, *more, **how)
        if waiting and str(given).endswith(path.name):
            waiting = False
            swap()
        return descriptor

    monkeypatch.setattr(os, "open", opened)


def test_a_file_that_becomes_a_link_after_the_look_is_read_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "x.csv").write_text("a\n1\n")

    def swap() -> None:
        (folder / "x.csv").unlink()
        (folder / "x.csv").symlink_to(folder.parent / "outside" / "x.csv")

    swapped(monkeypatch, folder / "x.csv", swap)
    descriptor = confined.open_file(folder / "x.csv", folder)
    with open(descriptor) as file:
        assert file.read() == "a\n1\n"
    with pytest.raises(confined.Outside, match="leads out"):
        confined.open_file(folder / "x.csv", folder)


def test_a_folder_that_becomes_a_link_after_the_look_is_not_written_through(folder: Path) -> None:
    """The writer holds the folder that it looked at; whoever swaps its name moves nothing."""
    (folder / "sub").mkdir()
    settings = FilesSettings.model_validate({"path": str(folder), "format": "csv"})
    target = Target(name="sub/x", write=Write.REPLACE, columns=COLUMNS, key=("id",), fence=fence(2, 1))
    writer = FilesDestination(settings).open(target)
    (folder / "sub").rename(folder / "moved")
    (folder / "sub").symlink_to(folder.parent / "outside")
    writer.write(Batch(stream="x", rows=rows(1, 2), bytes=1, checkpoint=1), COLUMNS)
    writer.finish()
    writer.close()
    assert untouched(folder)
    assert (folder / "moved" / "x.csv").exists()
    with pytest.raises(BadInput, match="leads out"):
        write(folder, "sub/x")


@pytest.mark.parametrize("mode", [Write.REPLACE, Write.APPEND, Write.UPSERT])
def test_a_link_in_the_place_of_what_we_stage_is_not_followed(folder: Path, mode: Write) -> None:
    """Whoever may write into the folder knows our names; a link there must not make us write what it points to."""
    write(folder)
    (state,) = folder.glob(".x.csv.syncworker-*.json")
    stem = state.name.removesuffix(".json")
    victim = folder.parent / "outside" / "x.csv"
    for name in (f"{stem}-2-2.part", f"{state.name}.new", f"{stem}-published"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(victim)
    with pytest.raises((DestinationUnavailable, SyncworkerError)):
        write(folder, mode=mode)
    assert untouched(folder)


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc", "/sys", "/dev/zero", "/dev", "/proc/self/root/tmp"])
@pytest.mark.parametrize("connector", ["files", "sqlite"])
def test_nothing_of_the_kernel_is_read_or_written(connector: str, path: str) -> None:
    for end in ("source", "destination"):
        with pytest.raises(BadInput, match="belongs to the kernel"):
            connectors.open_end(connector, {"path": path}, end).check()


@pytest.mark.parametrize("connector", ["files", "sqlite"])
@pytest.mark.parametrize("inside", ["", "secret_key", "mongod", "mongod/owner.json", "mongod/collection.wt"])
def test_our_own_key_and_database_are_not_for_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connector: str, inside: str
) -> None:
    (tmp_path / "mongod").mkdir()
    (tmp_path / "secret_key").write_text("geheim")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with pytest.raises(BadInput, match="syncworker's own"):
        connectors.open_end(connector, {"path": str(tmp_path / inside)}, "source").check()


@pytest.mark.parametrize("name", ["data/secret_key", "secrets/pw", ".env", "linked", "hard"])
def test_a_folder_above_them_shows_none_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """With the folder itself as root, every option that could make them a stream, and links to them."""
    for folder in ("data", "secrets"):
        (tmp_path / folder).mkdir()
    for path in ("data/secret_key", "secrets/pw", ".env"):
        (tmp_path / path).write_text("geheim\n1\n")
    (tmp_path / "linked").symlink_to("data/secret_key")
    os.link(tmp_path / "data" / "secret_key", tmp_path / "hard")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", "data")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "secrets"))
    with pytest.raises(SyncworkerError) as refusal:
        read(tmp_path, "x", format="csv", glob=name)
    assert "geheim" not in str(refusal.value)
    with pytest.raises(BadInput):
        read(tmp_path / name, name.rpartition("/")[2], format="csv")


def test_paths_may_be_narrowed_to_some_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "x.csv").write_text("a\n1\n")
    (tmp_path / "open" / "away").symlink_to(tmp_path)
    monkeypatch.setenv("ALLOW_PATHS", f"{tmp_path}/open,/srv/nothing")
    assert read(tmp_path / "open") == [{"a": 1}]
    for path in (tmp_path, tmp_path / "open" / ".." / "x", tmp_path / "open" / "away"):
        assert "ALLOW_PATHS" in str(places.refusal(path))
    with pytest.raises(BadInput, match="ALLOW_PATHS"):
        connectors.open_end("sqlite", {"path": str(tmp_path / "x.db")}, "destination").check()


def test_a_bomb_is_given_up_by_its_ratio_and_by_its_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "FLOOR", 200_000)
    (folder / "x.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 200_000))
    with pytest.raises(BadData, match=r"x.csv.gz unpacks to more than 200 times its size.*`max_ratio`"):
        read(folder)
    assert len(read(folder, max_ratio=5000)) == 200_000
    with pytest.raises(BadData, match=r"x.csv.gz unpacks to more than 400,000 bytes.*`max_unpacked`"):
        read(folder, max_ratio=5000, max_unpacked=400_000)


def test_a_few_rows_that_are_all_alike_are_no_bomb(folder: Path) -> None:
    (folder / "x.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 100_000))
    assert len(read(folder)) == 100_000
