"""CSV and JSONL files of one folder, plain or gzip, as a source and a destination.

The halves are in `files_source.py` and `files_writer.py`; here are the settings, which a stream may override.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from worker.connectors.protocol import ConnectorSettings
from worker.errors import BadInput, Fault

if TYPE_CHECKING:
    from worker.connectors.files_source import FilesSource
    from worker.connectors.files_writer import FilesDestination
    from worker.connectors.trial import Stage

Format = Literal["csv", "jsonl", "csv.gz", "jsonl.gz"]


class FileOptions(BaseModel):
    """How files are read and written; on the connection for all streams, on a stream for that one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format | None = Field(None, description="csv, jsonl, csv.gz or jsonl.gz; else by the file's ending")
    glob: str | None = Field(None, min_length=1, description="all files that match are one stream, in order of name")
    types: Literal["infer", "text"] = Field("infer", description="CSV: find each column's type, or take all as text")
    null_values: tuple[str, ...] = Field((), description="CSV: texts that mean null, besides the unquoted empty one")
    delimiter: str = Field(",", min_length=1, max_length=1, description="CSV: what stands between two fields")
    encoding: str = Field("utf-8", description="of text files")
    on_bad_row: Literal["fail", "skip"] = Field("fail", description="a ragged row, a broken line: fail, or skip, told")
    max_unpacked: int = Field(64 * 1024**3, ge=1, description="gzip: a file that unpacks to more bytes is refused")
    max_ratio: int = Field(200, ge=1, description="gzip: a large file that unpacks to more times its size is refused")

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError:
            raise ValueError(f"{name!r} is no encoding that Python knows") from None
        return name

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, delimiter: str) -> str:
        if delimiter in '"\r\n':
            raise ValueError("must not be a quote or a line's end")
        return delimiter


class FilePlace(ConnectorSettings):
    """Where the files are."""

    path: str = Field(min_length=1, description="a folder, or one file; nothing outside is ever read or written")

    @field_validator("path")
    @classmethod
    def _is_local(cls, path: str) -> str:
        if "://" in path or "\0" in path:
            raise ValueError("must be a folder or file of this machine; URLs are not read yet")
        return path


class FilesSettings(FileOptions, FilePlace):
    """The place first, as a form shows it, then the options of its files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def options(self, stream: str, own: Mapping[str, Any]) -> FileOptions:
        """The connection's options with the stream's over them."""
        known = {name: getattr(self, name) for name in FileOptions.model_fields}
        try:
            return FileOptions.model_validate(known | {name: own[name] for name in own if name in known})
        except ValidationError as error:
            places = [".".join(map(str, (stream, *one["loc"]))) for one in error.errors()]
            words = [one["msg"].removeprefix("Value error, ") for one in error.errors()]
            raise BadInput([Fault(field=f, message=m) for f, m in zip(places, words, strict=True)]) from None


class Files:
    """The connector named `files`."""

    settings: ClassVar[type[ConnectorSettings]] = FilesSettings
    stream_options: ClassVar[frozenset[str]] = frozenset(FileOptions.model_fields)
    source_options: ClassVar[Mapping[str, type]] = {}

    @staticmethod
    def stages(settings: FilesSettings) -> Iterator[Stage]:
        from worker.connectors import local_trial
        from worker.connectors.files_source import FilesSource

        return local_trial.stages(settings.path, FilesSource(settings).check, folder=True)

    @staticmethod
    def source(settings: FilesSettings) -> FilesSource:
        from worker.connectors.files_source import FilesSource

        return FilesSource(settings)

    @staticmethod
    def destination(settings: FilesSettings) -> FilesDestination:
        from worker.connectors.files_writer import FilesDestination

        return FilesDestination(settings)
