"""Reads MongoDB: documents in the order of `_id`, or of cursor and `_id`, in the batches that the server sends.

A read is not one snapshot: documents that change while it lasts are seen before or after their change. Values of a
cursor must be of one BSON type, because MongoDB compares no others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import bson
from bson import json_util
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from worker.batch import TARGET_ROWS, Batch, Row
from worker.connectors.bson_values import CODEC, FarDate, Shape, checkpoint_text, checkpoint_value, decimal128
from worker.connectors.mongodb import MongoDBSettings
from worker.connectors.mongodb_session import (
    KEYS,
    STAGING,
    STATE,
    UNDO,
    Document,
    borrow,
    give_back,
    short,
    translated,
    wake,
)
from worker.connectors.notes import Notes
from worker.connectors.protocol import Capabilities, Stream
from worker.connectors.sql_scan import lower_bound, suggested_cursor
from worker.errors import BadData, BadInput, Fault, SourceUnavailable, StreamNotFound
from worker.job import Mode, StreamSpec, Write
from worker.sync.types import columns_of

_SECONDS = 120.0
_SAMPLE = 100
_PICKED = 500
_ID = "_id"
_CODE = frozenset({"$where", "$function", "$accumulator", "$code", "$scope"})
_EXTENDED = json_util.JSONOptions(tz_aware=True, datetime_representation=json_util.DatetimeRepresentation.ISO8601)
# What `$type` calls the values that MongoDB compares with each other.
_COMPARED: dict[type, tuple[str, ...]] = {
    int: ("number",), bson.Int64: ("number",), float: ("number",), Decimal128: ("number",),
    DatetimeMS: ("date",), str: ("string", "symbol"), bson.ObjectId: ("objectId",), bool: ("bool",),
    bson.Timestamp: ("timestamp",), bytes: ("binData",), bson.Binary: ("binData",),
}  # fmt: skip


class MongoDBSource:
    """Collections and views as streams, without a schema; `_id` is kept and is the key."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, settings: MongoDBSettings) -> None:
        self._settings = settings
        self._client: MongoClient[Document] = borrow(settings, seconds=_SECONDS)
        self._notes = Notes()

    def __enter__(self) -> Self:
        try:
            wake(self._client, self._settings, SourceUnavailable)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        give_back(self._settings, seconds=_SECONDS)

    def check(self) -> None:
        """Prove that the server answers and lets us list the collections."""
        wake(self._client, self._settings, SourceUnavailable)
        with translated(self._settings, SourceUnavailable):
            self._names()

    def streams(self) -> list[Stream]:
        """Every collection and view; columns as the first documents have them."""
        with translated(self._settings, SourceUnavailable):
            return [self._sampled(name, kind) for name, kind in sorted(self._names().items())]

    def describe(self, spec: StreamSpec) -> Stream:
        """The stream, without columns: they come with the rows. Names in the spec that no document has are refused."""
        with translated(self._settings, SourceUnavailable):
            kind = self._names().get(spec.name)
            if kind is None:
                raise StreamNotFound(f"there is no collection {spec.name!r} in database {self._settings.database}")
            self._check_columns(spec)
            rows = None if _filter(spec) else self._rows(spec.name, kind)
            return Stream(name=spec.name, columns=(), key=(_ID,), rows=rows)

    def told(self) -> list[str]:
        return self._notes.told()

    def _names(self) -> dict[str, str]:
        found = self._client[self._settings.database].list_collections()
        hidden = ("system.", STATE, STAGING, KEYS, UNDO)
        return {one["name"]: one.get("type", "collection") for one in found if not one["name"].startswith(hidden)}

    def _collection(self, name: str) -> Collection[Document]:
        return self._client[self._settings.database].get_collection(name, codec_options=CODEC)

    def _rows(self, name: str, kind: str) -> int | None:
        return self._collection(name).estimated_document_count() if kind == "collection" else None

    def _sampled(self, name: str, kind: str) -> Stream:
        columns = columns_of(list(self._collection(name).find(limit=_SAMPLE)), ())
        cursor = suggested_cursor(columns)
        return Stream(name=name, columns=columns, key=(_ID,), cursor=cursor, rows=self._rows(name, kind))

    def _check_columns(self, spec: StreamSpec) -> None:
        collection = self._collection(spec.name)
        try:
            found = collection.find_one(_filter(spec), {_ID: 1})
        except OperationFailure as error:
            message = f"is not understood there: {short(error)}"
            raise BadInput([Fault(field=f"{spec.name}.filter", message=message)]) from None
        if found is None:
            return
        cursor = (spec.cursor,) if spec.cursor else ()
        named = {"key": spec.key, "cursor": cursor, "columns": spec.columns or (), "exclude": spec.exclude}
        named["hash"] = spec.hash
        faults = [
            Fault(field=f"{spec.name}.{field}", message=f"no document of {spec.name} has a field {name!r}")
            for field, names in [*named.items(), ("rename", tuple(spec.rename))]
            for name in names
            if name != _ID and collection.find_one({name: {"$exists": True}}, {_ID: 1}) is None
        ]
        if spec.mode is Mode.INCREMENTAL and not spec.cursor:
            faults.append(Fault(field=f"{spec.name}.cursor", message="is needed for incremental"))
        if faults:
            raise BadInput(faults)

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        """Batches behind `checkpoint`: {"_id": …} or {"cursor": …, "_id": …}, values as Extended JSON."""
        with translated(self._settings, SourceUnavailable):
            if spec.mode is Mode.FULL:
                found = self._all_behind(spec, checkpoint)
            else:
                upper = self._upper(spec)
                if upper is None:
                    return
                found = self._incremental(spec, checkpoint, upper)
            first = 1
            for raw in found:
                rows = bson.decode_all(raw, CODEC)
                if not rows:
                    continue
                after = self._after(spec, rows[-1], checkpoint)
                yield Batch(stream=spec.name, rows=_shown(rows), bytes=len(raw), checkpoint=after, first_row=first)
                first += len(rows)

    def pick(self, spec: StreamSpec, keys: Sequence[Mapping[str, Any]]) -> Iterator[Batch]:
        """The documents that have one of `keys`, each by the same fields."""
        shape = Shape(notes=Notes())
        with translated(self._settings, SourceUnavailable):
            for start in range(0, len(keys), _PICKED):
                page = [{name: shape.one(v, name) for name, v in key.items()} for key in keys[start : start + _PICKED]]
                chosen: list[Document] = [{name: {"$eq": value} for name, value in key.items()} for key in page]
                wanted = {"$and": [_filter(spec), {"$or": chosen}]}
                raws: Iterator[bytes] = iter(self._collection(spec.name).find_raw_batches(wanted))
                for raw in raws:
                    rows = bson.decode_all(raw, CODEC)
                    if rows:
                        yield Batch(stream=spec.name, rows=_shown(rows), bytes=len(raw))

    def _all_behind(self, spec: StreamSpec, checkpoint: Any) -> Iterator[bytes]:
        """By the index of `_id` from a bound on: `$gt` would see no `_id` of another BSON type."""
        collection, only = self._collection(spec.name), _filter(spec)
        if checkpoint is None:
            return iter(collection.find_raw_batches(only, sort=[(_ID, 1)], batch_size=TARGET_ROWS, allow_disk_use=True))
        last = checkpoint_value(checkpoint[_ID])
        behind = {"$and": [only, {"$expr": {"$gt": [f"${_ID}", {"$literal": last}]}}]}
        if self._names().get(spec.name) == "view":
            return iter(collection.find_raw_batches(behind, sort=[(_ID, 1)], batch_size=TARGET_ROWS))
        bounded = collection.find_raw_batches(behind, sort=[(_ID, 1)], batch_size=TARGET_ROWS)
        return iter(bounded.min([(_ID, last)]).hint([(_ID, 1)]))

    def _incremental(self, spec: StreamSpec, checkpoint: Any, upper: Any) -> Iterator[bytes]:
        cursor = str(spec.cursor)
        conditions: list[Document] = [_filter(spec), {cursor: {"$lte": upper}}]
        if checkpoint is not None and checkpoint.get("by") != cursor:
            if spec.write is Write.APPEND:
                message = f"the checkpoint is by {checkpoint.get('by')}, not by {cursor}; reset the job"
                raise BadInput([Fault(field=f"{spec.name}.cursor", message=message)])
        elif checkpoint is not None:
            start = checkpoint_value(checkpoint["cursor"])
            if spec.write is Write.APPEND:
                last = {"$literal": checkpoint_value(checkpoint[_ID])}
                same = {cursor: start, "$expr": {"$gt": [f"${_ID}", last]}}
                conditions.append({"$or": [{cursor: {"$gt": start}}, same]})
            else:
                conditions.append({cursor: {"$gte": self._looked_back(spec, start)}})
        order = [(cursor, 1)] if cursor == _ID else [(cursor, 1), (_ID, 1)]
        return iter(
            self._collection(spec.name).find_raw_batches(
                {"$and": conditions}, sort=order, batch_size=TARGET_ROWS, allow_disk_use=True
            )
        )

    def _looked_back(self, spec: StreamSpec, start: Any) -> Any:
        if isinstance(start, Decimal128):
            return decimal128(lower_bound(spec, start.to_decimal()))
        return lower_bound(spec, start)

    def _upper(self, spec: StreamSpec) -> Any:
        """The highest cursor now. Rows without one are counted and told; values without a common order fail."""
        cursor = str(spec.cursor)
        collection = self._client[self._settings.database][spec.name].with_options(_DATES_AS_MS)
        only = _filter(spec)
        known = {"$and": [only, {cursor: {"$nin": [None, float("nan")]}}]}
        last = collection.find_one(known, {cursor: 1}, sort=[(cursor, -1)])
        nulls = collection.count_documents({"$and": [only, {cursor: None}]})
        self._notes.null_cursors(nulls, spec.name, cursor, "null or missing")
        if last is None:
            return None
        upper = last[cursor]
        kinds = _COMPARED.get(type(upper))
        if kinds is None:
            raise BadData(f"{spec.name}: the cursor {cursor} has a value of type {type(upper).__name__}: {upper!r}")
        mixed = [{cursor: {"$type": "array"}}, {cursor: {"$ne": None, "$not": {"$type": list(kinds)}}}]
        other = collection.find_one({"$and": [only, {"$or": mixed}]})
        if other is not None:
            raise BadData(
                f"{spec.name}: the cursor {cursor} has values of several types, such as {upper!r} "
                f"and {other[cursor]!r} (_id {other[_ID]!r}); they have no common order"
            )
        return upper

    def _after(self, spec: StreamSpec, last: Row, start: Any) -> Any:
        """The checkpoint behind a row; while a lookback reads old rows again, the one that reading `start`ed from."""
        place = {_ID: checkpoint_text(last[_ID])}
        if spec.mode is Mode.FULL:
            return place
        cursor = str(spec.cursor)
        if start is not None and spec.lookback is not None and start.get("by") == cursor:
            floor = checkpoint_value(start["cursor"])
            if _before(last[cursor], floor.to_decimal() if isinstance(floor, Decimal128) else floor):
                return start
        return {"by": cursor, "cursor": checkpoint_text(last[cursor]), **place}


def _filter(spec: StreamSpec) -> Document:
    """The stream's own condition: a query document, its values as Extended JSON where JSON lacks them."""
    written = spec.options.get("filter") or {}
    acting = next(_acting(written), None)
    if acting:
        message = f"has {acting}, which runs JavaScript on the server; it is not taken"
        raise BadInput([Fault(field=f"{spec.name}.filter", message=message)])
    try:
        parsed: Document = json_util.loads(json.dumps(written), json_options=_EXTENDED)
    except (TypeError, ValueError) as error:
        raise BadInput([Fault(field=f"{spec.name}.filter", message=f"cannot be read: {error}")]) from None
    return parsed


def _acting(value: Any) -> Iterator[str]:
    """The operators in a filter that run code, wherever they stand."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _CODE:
                yield name
            yield from _acting(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _acting(inner)


def _before(value: Any, floor: Any) -> bool:
    try:
        return bool(value < floor)
    except TypeError:  # a date of a far year beside one of ours
        return False


_DATES_AS_MS = bson.CodecOptions[dict[str, Any]](
    datetime_conversion=bson.codec_options.DatetimeConversion.DATETIME_MS,
    uuid_representation=bson.UuidRepresentation.STANDARD,
)


def _shown(rows: list[Row]) -> list[Row]:
    """Dates of far years as their text, with the Date inside; all else as it is."""
    if not any(DatetimeMS in map(type, row.values()) for row in rows):
        return rows
    return [
        {name: FarDate(value) if type(value) is DatetimeMS else value for name, value in row.items()} for row in rows
    ]
