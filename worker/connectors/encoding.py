"""Rows on their way into a destination: each value through its column's encoder, or BadValue that names it.

An encoder returns what the driver wants, or raises ValueError or TypeError with the reason. It never rounds.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Sequence
from typing import Any

import bson

from worker.batch import Batch
from worker.connectors.notes import shown
from worker.connectors.protocol import Target
from worker.errors import BadInput, BadValue, Fault
from worker.sync.conversion import Inexact, conversion, try_convert
from worker.sync.types import Kind, Type
from worker.sync.values import json_text, text

Encoder = Callable[[Any], Any]
_NONE = type(None)


class Passing:
    """An encoder that leaves values of one type as they are, where `fits` says so of all of a batch at once.

    Most columns are such: looking at each of their values would cost more than writing them.
    """

    __slots__ = ("_encode", "_fits", "_of")

    def __init__(self, encode: Encoder, of: type, fits: Callable[[Sequence[Any]], bool] | None = None) -> None:
        self._encode = encode
        self._of = of
        self._fits = fits

    def __call__(self, value: Any) -> Any:
        return self._encode(value)

    def passes(self, values: Sequence[Any]) -> bool:
        types = set(map(type, values))
        if types - {self._of, _NONE}:
            return False
        if self._fits is None or self._of not in types:
            return True
        return self._fits([value for value in values if value is not None] if _NONE in types else values)


def encode_rows(batch: Batch, encoders: Sequence[tuple[str, Encoder]]) -> list[tuple[Any, ...]]:
    """One tuple a row, in the encoders' order; a missing value is None."""
    columns = [_encode_column(batch, name, encode) for name, encode in encoders]
    return list(zip(*columns, strict=True))


def _encode_column(batch: Batch, name: str, encode: Encoder) -> list[Any]:
    values = [row.get(name) for row in batch.rows]
    if isinstance(encode, Passing) and encode.passes(values):
        return values
    try:
        return [None if value is None else encode(value) for value in values]
    except (ValueError, TypeError, ArithmeticError):
        raise _bad_value(batch, name, encode) from None


def _bad_value(batch: Batch, name: str, encode: Encoder) -> BadValue:
    for number, row in enumerate(batch.rows, start=batch.first_row):
        value = row.get(name)
        try:
            if value is not None:
                encode(value)
        except (ValueError, TypeError, ArithmeticError) as error:
            return bad_value(name, number, value, str(error))
    raise AssertionError("a column failed to encode and then did not")


def bad_value(column: str, row: int, value: object, reason: str) -> BadValue:
    mend = "exclude the column, or change its type at the destination"
    message = f"column {column}, row {row}: {shown(value)} {reason}; {mend}"
    return BadValue(message, column=column, row=row)


def require_key(batch: Batch, key: Sequence[str]) -> None:
    """Raise BadValue for a row whose key is null or missing."""
    for number, row in enumerate(batch.rows, start=batch.first_row):
        for name in key:
            if row.get(name) is None:
                message = f"key column {name} is null in row {number}: upsert cannot find its row"
                raise BadValue(message, column=name, row=number)


def refuse_unknown(batch: Batch, names: frozenset[str]) -> None:
    """Raise BadValue for a value in a column that nobody declared: leaving it out would lose it."""
    for number, row in enumerate(batch.rows, start=batch.first_row):
        if row.keys() <= names:
            continue
        for name, value in row.items():
            if name not in names and value is not None:
                raise bad_value(name, number, value, "is in a column that the stream does not have")


def check_names(target: Target, names: Sequence[str], *, limit: int | None, folds_case: bool) -> None:
    """Raise BadInput for names that the destination cannot hold, with the setting that would mend it."""
    faults = []
    stream = target.fence.stream
    if limit is not None and len(target.name.encode()) > limit:
        message = f"{target.name!r} is longer than the destination's {limit} bytes; give the stream a shorter target"
        faults.append(Fault(field=f"{stream}.target", message=message))
    seen: dict[str, str] = {}
    for name in names:
        if limit is not None and len(name.encode()) > limit:
            message = f"column {name!r} is longer than the destination's {limit} bytes; rename: {{{name}: shorter}}"
            faults.append(Fault(field=f"{stream}.rename", message=message))
        if not name or "\0" in name:
            faults.append(Fault(field=f"{stream}.rename", message=f"{name!r} cannot be a column's name; rename it"))
        folded = name.casefold() if folds_case else name
        if folded in seen:
            message = f"columns {seen[folded]!r} and {name!r} are one name at the destination; rename one of them"
            faults.append(Fault(field=f"{stream}.rename", message=message))
        seen[folded] = name
    if faults:
        raise BadInput(faults)


def as_text(value: Any) -> str:
    """Text as it is; any other value in its documented text form, which reads back as the same value."""
    return value if type(value) is str else text(value)


def text_of(wanted: Type) -> Encoder:
    """How values of a column that is `wanted` go into one of text. Of a column with mixed kinds only text does."""
    if wanted.kind is Kind.ARRAY:
        return json_text
    if wanted.kind is not Kind.JSON:
        return Passing(as_text, str)

    def encode(value: Any) -> str:
        if isinstance(value, (dict, list)):
            return json_text(value)
        if not isinstance(value, str):
            raise TypeError(f"is of type {type(value).__name__}, in a column that holds text")
        return value

    return Passing(encode, str)


_AS_THEY_ARE = frozenset({Kind.TEXT, Kind.JSON, Kind.ARRAY, Kind.NULL})


def converting(wanted: Type, kind: Kind, encode: Encoder) -> Encoder:
    """For a column that is `wanted` into one of another kind: only what is exactly a value of that kind too."""
    if wanted.kind in (kind, Kind.JSON, Kind.ARRAY, Kind.NULL) or kind in _AS_THEY_ARE:
        return encode
    convert = conversion(wanted, Type(kind=kind))

    def encode_converted(value: Any) -> Any:
        try:
            converted = try_convert(convert, value)
        except Inexact:
            raise ValueError(f"is not exactly a {kind}") from None
        return encode(converted)

    return encode_converted


def read_as_array(wanted: Type, target: Type, encode: Encoder) -> Encoder:
    """For a column of JSON, or of JSON's text, into one of arrays: each item exactly as one of the array's type."""
    convert = conversion(wanted, target)

    def encode_converted(value: Any) -> Any:
        try:
            converted = try_convert(convert, value)
        except Inexact:
            raise ValueError(f"is not exactly an array of {target.item.kind if target.item else 'text'}") from None
        return encode(converted)

    return encode_converted


def as_decimal(value: Any) -> decimal.Decimal:
    if type(value) is decimal.Decimal:
        return value
    if isinstance(value, bson.Decimal128):
        return value.to_decimal()
    if isinstance(value, float):
        return decimal.Decimal(repr(value))
    return decimal.Decimal(as_integer(value))


def as_integer(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, (decimal.Decimal, bson.Decimal128, float)):
        whole = as_decimal(value)
        if whole.is_finite() and whole == whole.to_integral_value():
            return int(whole)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"is of type {type(value).__name__}, not a whole number")
    return int(value)


def bounded(low: int, high: int) -> Encoder:
    """Whole numbers within the bounds."""

    def encode(value: Any) -> int:
        number = as_integer(value)
        if not low <= number <= high:
            raise ValueError(f"is beyond {low} to {high}")
        return number

    return Passing(encode, int, lambda values: low <= min(values) and max(values) <= high)


def as_float(value: Any) -> float:
    if isinstance(value, float):
        return value
    exact = as_decimal(value)
    number = float(exact)
    if exact.is_nan() or number == exact or decimal.Decimal(repr(number)) == exact:
        return number
    raise ValueError("cannot be held exactly by a float")


def only(kind: type, name: str) -> Encoder:
    """Values of exactly this type."""

    def encode(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"is of type {type(value).__name__}, not {name}")
        return value

    return Passing(encode, kind)
