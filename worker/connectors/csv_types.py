"""The type of a CSV column: a number, boolean or time only where every value's own text is what we would write for it.

So `007`, `1.0e5` and numbers of twenty digits stay text. Columns are looked at in chunks; one that turns out to be
text is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from worker.sync.types import INT64, Column, Kind, Type
from worker.sync.values import float_text

Values = Sequence[str]

_INTEGER = r"(?:0|-?[1-9][0-9]{0,18})"
# With a fraction of any length, or as long as an integer is: an id of twenty digits is no number to reckon with.
_DECIMAL = r"(?!-0(?:\.0+)?(?:\n|\Z))-?(?:(?:0|[1-9][0-9]*)\.[0-9]+|0|[1-9][0-9]{0,17})"
_MOST_ZEROS = 40
_SPECIAL = frozenset({"NaN", "Infinity", "-Infinity"})


def _each(pattern: str) -> Callable[[Values], bool]:
    """Whether all values match, in one step over all of them."""
    compiled = re.compile(rf"(?:{pattern}\n)*{pattern}")

    def check(values: Values) -> bool:
        joined = "\n".join(values)
        return compiled.fullmatch(joined) is not None and joined.count("\n") == len(values) - 1

    return check


_INTEGERS, _DECIMALS = _each(_INTEGER), _each(_DECIMAL)
_DATES = _each(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Decimals of a second as we write them: none, three or six, and no fewer would do.
_FRACTION = r"(?:\.(?!000)[0-9]{3}|\.[0-9]{3}(?!000)[0-9]{3})?"
_TIMES = _each(rf"[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}{_FRACTION}")
_INSTANT = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}{_FRACTION}"
_NAIVE, _ZONED = _each(_INSTANT), _each(_INSTANT + "Z")


def _integers(values: Values) -> bool:
    return _INTEGERS(values) and (max(map(len, values)) < 19 or all(int(value) in INT64 for value in values))


def _ordinary(values: Values) -> Values:
    """Without NaN and infinities."""
    return values if _SPECIAL.isdisjoint(values) else [value for value in values if value not in _SPECIAL]


def _decimals(values: Values) -> bool:
    plain = _ordinary(values)
    if not plain:
        return True
    tiny = "0." + "0" * (_MOST_ZEROS - 1)  # written with an exponent, so not as it was
    return _DECIMALS(plain) and not any(tiny in value for value in plain)


def _floats(values: Values) -> bool:
    plain = list(_ordinary(values))
    return list(map(float_text, map(float, plain))) == plain


def _valid(parse: Callable[[str], Any], shape: Callable[[Values], bool]) -> Callable[[Values], bool]:
    """Of the shape that we write, and on the calendar."""
    return lambda values: shape(values) and all(parse(value) is not None for value in values)


_CHECKS: Mapping[Kind, Callable[[Values], bool]] = {
    Kind.INTEGER: _integers,
    Kind.FLOAT: _floats,
    Kind.DECIMAL: _decimals,
    Kind.BOOLEAN: {"true", "false"}.issuperset,
    Kind.DATE: _valid(date.fromisoformat, _DATES),
    Kind.TIME: _valid(time.fromisoformat, _TIMES),
    Kind.TIMESTAMP: _valid(datetime.fromisoformat, _NAIVE),
    Kind.TIMESTAMPTZ: _valid(datetime.fromisoformat, _ZONED),
}
_PARSE: Mapping[Kind, Callable[[str], Any]] = {
    Kind.INTEGER: int,
    Kind.FLOAT: float,
    Kind.DECIMAL: Decimal,
    Kind.BOOLEAN: lambda value: value == "true",
    Kind.DATE: date.fromisoformat,
    Kind.TIME: time.fromisoformat,
    Kind.TIMESTAMP: datetime.fromisoformat,
    Kind.TIMESTAMPTZ: datetime.fromisoformat,
}


class Guess:
    """What a column may still be, after the values seen so far."""

    def __init__(self, *, infers: bool = True) -> None:
        self._left = list(_CHECKS) if infers else []
        self._seen = False
        self.nulls = False

    def look(self, values: Sequence[str | None]) -> None:
        if None in values:
            self.nulls = True
            values = [value for value in values if value is not None]
        if values and self._left:
            self._seen = True
            self._left = [kind for kind in self._left if _holds(kind, values)]  # type: ignore[arg-type]

    @property
    def kind(self) -> Kind:
        return self._left[0] if self._seen and self._left else Kind.TEXT

    def column(self, name: str) -> Column:
        bits = 64 if self.kind in (Kind.INTEGER, Kind.FLOAT) else None
        return Column(name=name, type=Type(kind=self.kind, bits=bits), nullable=self.nulls)


def _holds(kind: Kind, values: Values) -> bool:
    try:
        return _CHECKS[kind](values)
    except ValueError:
        return False


def parsed(kind: Kind, values: Sequence[str | None]) -> Sequence[Any]:
    """The column's values as their kind's."""
    parse = _PARSE.get(kind)
    if parse is None:
        return values
    if None in values:
        return [None if value is None else parse(value) for value in values]
    return list(map(parse, values))  # type: ignore[arg-type]
