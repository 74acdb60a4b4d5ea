"""Which files of a folder are which streams; no path ever leads out of the folder.

It opens regular files only: a pipe or a device would hang or never end. What was looked at is what is opened, by its
descriptor, and what is written goes into the folder that was looked at: a link that is swapped meanwhile is of no
help. The content is none of its business.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from worker import confined, places
from worker.connectors.files import FileOptions
from worker.connectors.unpacking import Bounds, unpacked
from worker.errors import BadData, BadInput, DestinationUnavailable, Fault, SourceUnavailable, StreamNotFound

_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_GZIP = ".gz"
_MOST_NAME = 180  # of the 255 bytes of a file's name: the rest is for the names of what we stage


@dataclass(frozen=True, kw_only=True)
class File:
    """One file: where it is, `csv` or `jsonl`, and whether it is gzip. `root` is the folder that it must be in.

    `shown` is its path for people, where `path` leads through a descriptor.
    """

    path: Path
    format: str
    zipped: bool
    root: Path
    bounds: Bounds
    shown: Path | None = None

    @property
    def where(self) -> str:
        return str(self.shown or self.path)

    @property
    def stamp(self) -> list[int]:
        """Changes when the file does."""
        found = self.path.stat()
        return [found.st_ino, found.st_size, found.st_mtime_ns]


def split(name: str) -> tuple[str, str, bool] | None:
    """`x.csv.gz` is (`x`, `csv`, True); None for an ending that is not ours."""
    lower = name.lower()
    zipped = lower.endswith(_GZIP)
    for ending, found in _FORMATS.items():
        whole = ending + (_GZIP if zipped else "")
        if lower.endswith(whole) and len(name.rpartition("/")[2]) > len(whole):
            return name[: -len(whole)], found, zipped
    return None


class Folder:
    """A folder, or a folder of which only one file is meant."""

    def __init__(self, path: str) -> None:
        given = Path(path)
        wrong = places.refusal(given)
        if wrong:
            raise BadInput([Fault(field="path", message=f"{path} {wrong}")])
        self.only = given if given.is_file() or (not given.exists() and split(given.name)) else None
        self.root = given.parent if self.only else given

    def names(self) -> list[str]:
        """Every stream: the files' stems, with the folders between in front."""
        if self.only:
            found = split(self.only.name)
            return [found[0] if found else self.only.stem]
        try:
            return sorted({found[0] for path in self._walk() if (found := split(path))})
        except OSError as error:
            raise SourceUnavailable(f"folder {self.root}: {error.strerror}") from error

    def _walk(self) -> Iterator[str]:
        if not self.root.is_dir():
            raise SourceUnavailable(f"there is no folder {self.root}")
        for folder, inner, files in os.walk(self.root):
            inner[:] = [name for name in inner if not name.startswith(".")]
            for name in files:
                path = Path(folder, name)
                if not name.startswith(".") and path.is_file() and self._inside(path):
                    yield path.relative_to(self.root).as_posix()

    def find(self, name: str, options: FileOptions) -> list[File]:
        """The files of a stream. StreamNotFound where there is none, BadInput where it is not clear which."""
        if options.glob is not None:
            return self._matching(name, options)
        candidates = self._candidates(name, options)
        if not candidates:
            known = ", ".join(self.names()[:20]) or "no CSV or JSONL file"
            raise StreamNotFound(f"there is no file of the stream {name!r} in {self.root}; there is {known}")
        if len(candidates) > 1:
            listed = ", ".join(file.path.name for file in candidates)
            raise BadInput([Fault(field=f"{name}.format", message=f"{listed} are all there: say which with `format`")])
        return candidates

    def _candidates(self, name: str, options: FileOptions) -> list[File]:
        if self.only:
            return [self._file(self.only, options)] if name in (*self.names(), self.only.name) else []
        if not _is_plain(name):
            return []
        paths = [name] if split(name) else []
        paths += [name + ending + zipped for ending in _FORMATS for zipped in ("", _GZIP)]
        files = [self._file(self.root / path, options) for path in paths if os.path.lexists(self.root / path)]
        return [file for file in files if options.format is None or file.format == options.format.removesuffix(_GZIP)]

    def _matching(self, name: str, options: FileOptions) -> list[File]:
        pattern = options.glob or ""
        if not _is_plain(pattern):
            raise BadInput([Fault(field=f"{name}.glob", message=f"{pattern!r} leads out of the folder")])
        found = sorted(path for path in self.root.glob(pattern) if not path.name.startswith(".") and path.is_file())
        files = [self._file(path, options) for path in found if options.format or split(path.name)]
        if not files:
            raise StreamNotFound(f"no file in {self.root} matches {pattern!r}")
        return files

    def _file(self, path: Path, options: FileOptions) -> File:
        if not self._inside(path):
            raise BadInput([Fault(field="path", message=f"{path} leads out of {self.root}, and must not")])
        found = split(path.name)
        if found is None and options.format is None:
            raise BadInput([Fault(field="format", message=f"is needed: the name {path.name} does not say it")])
        form = found[1] if found else (options.format or "").removesuffix(_GZIP)
        zipped = found[2] if found else (options.format or path.name).endswith(_GZIP)
        bounds = Bounds(largest=options.max_unpacked, ratio=options.max_ratio)
        return File(path=path, format=form, zipped=zipped, root=self.root, bounds=bounds)

    def _inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.root.resolve())

    def target(self, name: str, options: FileOptions, stream: str) -> File:
        """The file to write: the one that is there, else a new one by `format`, else CSV."""
        if not self.only and (not _is_plain(name) or PurePosixPath(name).name.startswith(".")):
            raise BadInput([Fault(field=f"{stream}.target", message=f"{name!r} is no name of a file in the folder")])
        if len(PurePosixPath(name).name.encode(errors="surrogatepass")) > _MOST_NAME:
            message = f"{name!r} is longer than {_MOST_NAME} bytes; give a shorter `target`"
            raise BadInput([Fault(field=f"{stream}.target", message=message)])
        if self.only:
            return self._file(self.only, options)
        if split(name):
            return self._file(self.root / name, options)
        there = self._candidates(name, options)
        if len(there) > 1:
            return self.find(name, options)[0]
        if there:
            return there[0]
        return self._file(self.root / f"{name}.{options.format or 'csv'}", options)


def _is_plain(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and "\0" not in name and ".." not in parts and not name.startswith("/") and name[-1] != "/"


class HeldFolder:
    """The folder of a target, made where it is missing and held by a descriptor until `close`."""

    def __init__(self, file: File) -> None:
        self._shown = file
        try:
            self._descriptor = confined.open_folder(file.path.parent, file.root)
        except confined.Outside as error:
            raise BadInput([Fault(field="path", message=f"{file.where} {error}")]) from None
        try:
            _refuse(confined.place_of(self._descriptor) / file.path.name, file)
        except BaseException:
            self.close()
            raise

    @property
    def file(self) -> File:
        """The target as it is reached through the descriptor."""
        path = Path(f"/proc/self/fd/{self._descriptor}", self._shown.path.name)
        return replace(self._shown, path=path, shown=self._shown.path)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _refuse(place: Path, file: File) -> None:
    """Raise BadInput for a place inside the folder that is not for connections all the same."""
    wrong = places.refusal(place)
    if wrong:
        raise BadInput([Fault(field="path", message=f"{file.where} {wrong}")])


@contextmanager
def reading(file: File) -> Iterator[BinaryIO]:
    """The file's bytes, unzipped. BadData for what is no regular file, no whole gzip, or too much of one."""
    try:
        with open(confined.open_file(file.path, file.root), "rb") as raw:
            _refuse(confined.place_of(raw.fileno()), file)
            if not file.zipped:
                yield raw
                return
            with unpacked(raw, file.where, file.bounds) as stream:
                yield stream
    except confined.Outside as error:
        raise BadData(f"{file.where} {error}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadData(f"{file.where}: the gzip is broken or cut off ({error})") from None
    except FileNotFoundError:
        raise StreamNotFound(f"{file.where} is gone") from None
    except OSError as error:
        raise SourceUnavailable(f"{file.where}: {error.strerror or error}") from error


@contextmanager
def as_destination() -> Iterator[None]:
    """Raise DestinationUnavailable for what the file system refuses."""
    try:
        yield
    except OSError as error:
        path = re.sub(r"^/proc/self/fd/\d+/", "", str(error.filename or "the folder"))
        raise DestinationUnavailable(f"{path}: {error.strerror or error}") from error
