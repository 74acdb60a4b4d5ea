"""CSV as RFC 4180 has it, exactly: an unquoted empty field is null, a quoted one is empty text. Records in and out.

Python's reader does the work; only a record that has a quoted empty field is looked at again, because the reader does
not tell. https://www.rfc-editor.org/rfc/rfc4180
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from worker.errors import BadData

# One field; a quote that is never closed would swallow the rest of the file.
_MOST_FIELD = 64 * 1024 * 1024
csv.field_size_limit(max(_MOST_FIELD, csv.field_size_limit()))

Fields = list[str | None]


class Record(NamedTuple):
    """`line` is where it begins, `size` its characters."""

    line: int
    fields: Fields
    size: int


def records(lines: Iterable[str], delimiter: str, where: str) -> Iterator[Record]:
    """Every record of `lines` (with their ends). BadData names the line."""
    taken: list[str] = []

    def feed() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    number = 1
    while True:
        try:
            found = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadData(f"{where}, line {number}: {_reason(str(error))}") from None
        raw = taken[0] if len(taken) == 1 else "".join(taken)
        fields: Fields = found if "" not in found else _with_nulls(raw, found, delimiter)  # type: ignore[assignment]
        yield Record(number, fields, len(raw))
        number += len(taken)
        taken.clear()


def _reason(words: str) -> str:
    if "unexpected end of data" in words:
        return "a quote is opened and never closed"
    if "expected after" in words:
        return "something stands behind a closing quote"
    return words


def _with_nulls(raw: str, found: Sequence[str], delimiter: str) -> Fields:
    if '""' not in raw:
        return [field or None for field in found]
    field = re.compile(rf'"(?:[^"]|"")*"|[^{re.escape(delimiter)}\r\n]*')
    place, fields = 0, []
    for text in found:
        matched = field.match(raw, place)
        assert matched is not None
        fields.append(text if text or matched[0].startswith('"') else None)
        place = matched.end() + 1
    return fields


# Writing.


class Sheet:
    """Lines of CSV for columns of texts and nulls."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._special = re.compile(rf'[{re.escape(delimiter)}"\r\n]|\A\ufeff')

    def quoted(self, text: str) -> str:
        if text and not self._special.search(text):
            return text
        return '"' + text.replace('"', '""') + '"'

    def column(self, values: Sequence[str | None]) -> Sequence[str]:
        """The fields of one column, quoted where they need it."""
        if None not in values and "" not in values and not self._special.search("".join(values)):  # type: ignore[arg-type]
            return values  # type: ignore[return-value]
        quoted = self.quoted
        return ["" if value is None else quoted(value) for value in values]

    def lines(self, columns: Sequence[Sequence[str]]) -> str:
        """The records, each with its line's end."""
        made = "\n".join(map(self._delimiter.join, zip(*columns, strict=True)))
        return made + "\n" if columns and columns[0] else ""

    def header(self, names: Sequence[str]) -> str:
        return self._delimiter.join(map(self.quoted, names)) + "\n"

    def record(self, fields: Sequence[str | None]) -> str:
        return self._delimiter.join("" if one is None else self.quoted(one) for one in fields) + "\n"
