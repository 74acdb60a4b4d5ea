"""MongoDB where it is not ordinary: keys, limits of BSON, indexes, types that do not compare, a standalone server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import bson
import pytest
from bson.datetime_ms import DatetimeMS
from pymongo import MongoClient

from tests.contracts.destination import ID, fence
from tests.contracts.source import raised, stored
from worker.batch import Batch, Row
from worker.connectors.bson_values import CODEC, FarDate, far_milliseconds, far_text
from worker.connectors.mongodb import MongoDBSettings
from worker.connectors.mongodb_source import MongoDBSource
from worker.connectors.mongodb_writer import MongoDBDestination, MongoDBWriter
from worker.connectors.protocol import Target
from worker.errors import BadData, BadInput, BadValue, DestinationUnavailable, LostClaim, SourceUnavailable
from worker.job import Mode, StreamSpec, Write
from worker.sync.types import JSON_NULL, Column, Kind, Type, columns_of

Client = MongoClient[dict[str, Any]]


class End:
    """Both ends on one database."""

    def __init__(self, url: str, database: str) -> None:
        self.settings = MongoDBSettings(url=url, database=database)
        self.client = Client(url, tz_aware=True, uuidRepresentation="standard")
        self.database = self.client.get_database(database, codec_options=CODEC)

    def writer(self, write: Write, columns: Sequence[Column] = (), **more: Any) -> MongoDBWriter:
        target = Target(
            name=more.get("name", "x"),
            write=write,
            columns=tuple(columns),
            key=more.get("key", ()),
            fence=fence(more.get("sequence", 1), more.get("token", 1)),
            options=more.get("options", {}),
        )
        return MongoDBDestination(self.settings).open(target)

    def put(
        self, found: list[Row], write: Write = Write.REPLACE, columns: Sequence[Column] = (), **more: Any
    ) -> list[str]:
        columns = tuple(columns) or columns_of(found, ())
        writer = self.writer(write, columns, **more)
        writer.write(Batch(stream="x", rows=found, bytes=1, checkpoint={"n": 1}), columns)
        writer.finish()
        return writer.told()

    def find(self, name: str = "x") -> list[Row]:
        return list(self.database[name].find(sort=[("_id", 1)]))

    def read(self, spec: StreamSpec, checkpoint: Any = None) -> list[Batch]:
        return list(MongoDBSource(self.settings).read(spec, checkpoint))


@pytest.fixture
def end(mongo_url: str, mongo_database: str) -> End:
    return End(mongo_url, mongo_database)


def one_column(kind: Kind, name: str = "v", **more: Any) -> tuple[Column, ...]:
    return ID, Column(name=name, type=Type(kind=kind, **more))


# Keys.


def test_a_key_of_one_column_is_the_id(end: End) -> None:
    end.put([{"id": 2, "v": "b"}, {"id": 1, "v": "a"}], key=("id",))
    assert end.find() == [{"_id": 1, "id": 1, "v": "a"}, {"_id": 2, "id": 2, "v": "b"}]


def test_a_key_of_several_columns_is_a_document_in_its_order(end: End) -> None:
    end.put([{"a": 1, "b": "x", "c": 3}], Write.UPSERT, key=("b", "a"))
    (found,) = end.find()
    assert list(found["_id"].items()) == [("b", "x"), ("a", 1)]


def test_without_a_key_the_id_is_new(end: End) -> None:
    end.put([{"a": 1}, {"a": 1}])
    assert [type(one["_id"]) for one in end.find()] == [bson.ObjectId, bson.ObjectId]


def test_an_append_has_new_ids_and_keeps_the_sources(end: End) -> None:
    for sequence in (1, 2):
        end.put([{"_id": 1, "a": 1}], Write.APPEND, key=("_id",), sequence=sequence)
    assert [one["_source_id"] for one in end.find()] == [1, 1]
    assert all(isinstance(one["_id"], bson.ObjectId) for one in end.find())


def test_the_same_key_twice_is_refused_by_replace(end: End) -> None:
    end.put([{"id": 1, "v": "old"}], key=("id",))
    with pytest.raises(BadValue, match=r"column _id, row 3: .*1.* is in .* already"):
        end.put([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"id": 1, "v": "c"}], key=("id",), sequence=2)
    assert [one["v"] for one in end.find()] == ["old"]


# Values.


def test_every_value_of_bson_goes_from_mongodb_to_mongodb_unchanged(end: End) -> None:
    document = {
        "_id": bson.ObjectId(),
        "int": 1,
        "long": bson.Int64(1),
        "double": 1.0,
        "decimal": bson.Decimal128("1.50"),
        "uuid": UUID(int=7),
        "old uuid": bson.Binary(b"0123456789abcdef", 3),
        "regex": bson.Regex("^a", "i"),
        "code": bson.Code("f()", {"x": 1}),
        "timestamp": bson.Timestamp(1, 2),
        "min": bson.MinKey(),
        "max": bson.MaxKey(),
        "date": datetime(2024, 1, 1, 1, 2, 3, 4000, tzinfo=UTC),
        "far": DatetimeMS(-(2**60)),
        "null": None,
        "$odd": {"": [1, {"a.b": bson.Decimal128("NaN")}], "far": DatetimeMS(2**60)},
    }
    raw = bson.encode(document, codec_options=CODEC)
    end.database["source"].insert_one(bson.raw_bson.RawBSONDocument(raw))
    (batch,) = end.read(StreamSpec(name="source"))
    columns = columns_of(batch.rows, ())
    writer = end.writer(Write.REPLACE, (), key=("_id",))
    writer.write(batch, columns)
    writer.finish()
    copied = b"".join(end.client[end.settings.database]["x"].find_raw_batches())  # type: ignore[arg-type]
    assert copied == raw
    assert writer.told() == []


def test_what_bson_has_no_number_for_is_kept_as_text_and_told(end: End) -> None:
    big, long = 2**70, int("1" * 35)
    told = end.put([{"id": 1, "v": big}, {"id": 2, "v": long}], key=("id",))
    assert [one["v"] for one in end.find()] == [Decimal(big), str(long)]
    assert told == [f"v: 1 value kept as text: more than 34 digits, for example Decimal('{long}')"]


def test_decimals_keep_their_digits(end: End) -> None:
    values = [Decimal("1.50"), Decimal("0E-10"), Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+40")]
    end.put([{"id": number, "v": value} for number, value in enumerate(values)], key=("id",))
    assert [str(one["v"]) for one in end.find()][:4] == [str(value) for value in values[:4]]
    assert end.find()[4]["v"] == values[4]


def test_microseconds_are_told_or_kept_as_text(end: End) -> None:
    moment = datetime(2024, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    (told,) = end.put([{"id": 1, "v": moment}], key=("id",))
    assert "v: 1 value cut to the milliseconds" in told
    assert end.find()[0]["v"] == moment.replace(microsecond=123000)
    assert end.put([{"id": 1, "v": moment}], key=("id",), sequence=2, options={"timestamps": "text"}) == []
    assert end.find()[0]["v"] == "2024-01-01T00:00:00.123456Z"


def test_dates_beyond_the_calendar_are_dates_and_infinities_are_text(end: End) -> None:
    rows = [{"id": n, "v": v} for n, v in enumerate(["0044-03-15 BC", "12024-01-01", "infinity", date(2024, 1, 1)])]
    (told,) = end.put(rows, columns=one_column(Kind.DATE), key=("id",))
    found = [one["v"] for one in end.find()]
    assert found[:2] == [DatetimeMS(-63517824000000), DatetimeMS(317273587200000)]
    assert found[2:] == ["infinity", datetime(2024, 1, 1, tzinfo=UTC)]
    assert told == "v: 1 value kept as text: no Date holds it, for example 'infinity'"


def test_times_are_text_and_json_nulls_are_null(end: End) -> None:
    document = {"a": [JSON_NULL, Decimal("1.1"), 2**64, date(2024, 1, 1), time(1, 2)]}
    end.put([{"id": 1, "t": time(1, 2, 3), "v": document, "w": JSON_NULL}], key=("id",))
    (found,) = end.find()
    assert found["t"] == "01:02:03"
    assert found["v"] == {"a": [None, Decimal("1.1"), Decimal(2**64), datetime(2024, 1, 1, tzinfo=UTC), "01:02:00"]}
    assert found["w"] is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("\ud800", r"column v, row 2: '\\ud800' cannot be held"),
        ({"a": "\ud800"}, r"column v, row 2"),
        ({"a\0b": 1}, r"column v, row 2"),
        ("x" * (16 * 1024 * 1024), r"row 2 has 16,777,\d+ bytes, most in v"),
        (object(), r"column v, row 2"),
    ],
    ids=["surrogate", "deep", "nul in a name", "too large", "no value"],
)
def test_what_no_document_holds_is_refused_by_name(end: End, value: Any, message: str) -> None:
    with pytest.raises(BadValue, match=message) as caught:
        end.put([{"id": 1, "v": "fine"}, {"id": 2, "v": value}], columns=one_column(Kind.JSON), key=("id",))
    assert caught.value.column == "v"
    assert end.find() == []


def test_a_document_that_is_too_deep_is_refused(end: End) -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    with pytest.raises(BadValue, match="nested deeper"):
        end.put([{"id": 1, "v": deep}], key=("id",))


def test_dates_of_far_years_are_told_to_others_as_text() -> None:
    far = FarDate(DatetimeMS(-63517780799500))
    assert far == "0044-03-15 12:00:00.500+00 BC"
    assert columns_of([{"v": far}], ())[0].type.kind is Kind.TIMESTAMPTZ
    assert [far_text(DatetimeMS(int(far_milliseconds(t) or 0))) for t in (far, "10000-01-01 00:00:00+00")] == [
        far,
        "10000-01-01 00:00:00+00",
    ]


# Collections.


def test_replace_keeps_indexes_and_options(end: End) -> None:
    end.database.create_collection("x", validator={"v": {"$type": "string"}})
    end.database["x"].create_index([("v", 1)], unique=True, name="by_v", partialFilterExpression={"v": {"$gt": "a"}})
    end.database["x"].create_index([("t", 1)], expireAfterSeconds=3600)
    before = end.database["x"].index_information()
    end.put([{"id": 1, "v": "b"}], key=("id",))
    assert end.database["x"].index_information() == before
    (listed,) = end.database.list_collections(filter={"name": "x"})
    assert listed["options"]["validator"] == {"v": {"$type": "string"}}
    with pytest.raises(BadValue, match=r"column v, row 2: .* already, and is unique"):
        end.put([{"id": 1, "v": "same"}, {"id": 2, "v": "same"}], key=("id",), sequence=2)
    with pytest.raises(BadValue, match="row 1 was refused: Document failed validation"):
        end.put([{"id": 1, "v": 5}], key=("id",), sequence=3)
    assert [one["v"] for one in end.find()] == ["b"]


def test_a_writer_that_lost_its_claim_swaps_nothing_half_full(end: End) -> None:
    columns = one_column(Kind.TEXT)
    old = end.writer(Write.REPLACE, columns, key=("id",))
    old.write(Batch(stream="x", rows=[{"id": 1, "v": "a"}], bytes=1, checkpoint={"n": 1}), columns)
    new = end.writer(Write.REPLACE, columns, key=("id",), token=2)
    old._state.advance = lambda *_: None  # type: ignore[method-assign]  # frozen right behind its look at the fence
    with pytest.raises(LostClaim):
        old.finish()
    assert "x" not in end.database.list_collection_names()
    new.finish()
    assert len(end.find()) == 1


def test_no_writer_is_lent_the_session_of_one_that_has_ended(end: End) -> None:
    """Runs share a client and its sessions: whoever displaces the ended writer would strike the one that came after."""
    columns = one_column(Kind.TEXT)
    ended = end.writer(Write.UPSERT, columns, key=("id",))
    assert ended._session is not None
    noted = ended._session.session_id
    ended.close()
    others = [end.writer(Write.UPSERT, columns, key=("id",), token=token) for token in (2, 3, 4)]
    assert noted not in [other._session.session_id for other in others if other._session]


def test_a_merge_that_was_interrupted_is_gone_on_with_and_adds_nothing_twice(
    end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = one_column(Kind.TEXT)
    batch = Batch(stream="x", rows=[{"id": number, "v": "a"} for number in range(5)], bytes=1)
    first = end.writer(Write.APPEND, columns)
    first.write(batch, columns)
    with monkeypatch.context() as crash:
        crash.setattr(
            first._state, "end", lambda how: None if how == "merged" else type(first._state).end(first._state, how)
        )
        crash.setattr(type(first._collection), "drop", lambda self: None)
        first.finish()
    second = end.writer(Write.APPEND, columns, token=2)
    second.write(batch, columns)
    second.finish()
    assert sorted(one["id"] for one in end.find()) == [0, 1, 2, 3, 4]
    assert [name for name in end.database.list_collection_names() if "staging" in name] == []


@pytest.mark.parametrize("name", ["", "a$b", "system.users", "a\0b", "x" * 250, "_syncworker_state"])
def test_a_name_that_cannot_be_is_refused_before_anything_is_written(end: End, name: str) -> None:
    with pytest.raises(BadInput, match="target"):
        end.writer(Write.REPLACE, one_column(Kind.TEXT), name=name)
    assert end.database.list_collection_names() == []


def test_a_view_is_read_and_never_written(end: End) -> None:
    end.database["base"].insert_many([{"_id": number, "v": number % 2} for number in range(6)])
    end.database.create_collection("x", viewOn="base", pipeline=[{"$match": {"v": 1}}])
    spec = StreamSpec(name="x")
    (batch,) = end.read(spec)
    assert [row["_id"] for row in batch.rows] == [1, 3, 5]
    checkpoint = {"_id": '{"$numberInt": "1"}'}
    assert [row["_id"] for row in end.read(spec, checkpoint)[0].rows] == [3, 5]
    with pytest.raises(BadInput, match="view"):
        end.writer(Write.REPLACE, one_column(Kind.TEXT))


# Reading.


def test_ids_of_several_types_are_all_read_wherever_reading_begins(end: End) -> None:
    ids = [1, 2.5, "a", {"k": 1}, bson.Binary(b"x"), bson.ObjectId(), False, datetime(2024, 1, 1, tzinfo=UTC)]
    end.database["x"].insert_many([{"_id": one} for one in ids])
    spec = StreamSpec(name="x")
    (whole,) = end.read(spec)
    assert len(whole.rows) == len(ids)
    source = MongoDBSource(end.settings)
    for number, row in enumerate(whole.rows, start=1):
        rest = [one for batch in end.read(spec, stored(source._after(spec, row, None))) for one in batch.rows]
        assert [one["_id"] for one in rest] == [one["_id"] for one in whole.rows[number:]]


def test_a_cursor_of_several_types_is_refused_rather_than_half_read(end: End) -> None:
    end.database["x"].insert_many([{"_id": 1, "c": 1}, {"_id": 2, "c": "text"}])
    with pytest.raises(BadData, match="values of several types"):
        end.read(StreamSpec(name="x", mode=Mode.INCREMENTAL, write=Write.UPSERT, cursor="c"))


@pytest.mark.parametrize(
    "changes", [{"cursor": "nope", "mode": Mode.INCREMENTAL}, {"columns": ("nope",)}, {"rename": {"nope": "x"}}]
)
def test_a_name_that_no_document_has_is_refused(end: End, changes: dict[str, Any]) -> None:
    end.database["x"].insert_one({"_id": 1, "a": 1})
    with pytest.raises(BadInput, match="no document of x has a field 'nope'"):
        MongoDBSource(end.settings).describe(StreamSpec(name="x", write=Write.UPSERT, **changes))


def test_our_own_collections_are_no_streams(end: End) -> None:
    end.put([{"id": 1}], key=("id",))
    end.writer(Write.REPLACE, one_column(Kind.TEXT), sequence=2, name="staged")
    assert [stream.name for stream in MongoDBSource(end.settings).streams()] == ["x"]


# Servers.


@pytest.mark.parametrize(
    ("end_class", "error"), [(MongoDBSource, SourceUnavailable), (MongoDBDestination, DestinationUnavailable)]
)
def test_a_server_that_is_not_there_is_named_without_the_password(
    end_class: Any, error: Any, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.connectors.mongodb_session._SELECTION_MS", 200)
    url = f"mongodb://ann:hunter2@127.0.0.1:{free_port}/"
    message = raised(error, "hunter2", lambda: end_class(MongoDBSettings(url=url, database="d")).check())
    assert re.search(rf"127.0.0.1:{free_port}", message)


@pytest.mark.parametrize("url", ["mongodb://", "mongodb://u:hunter2@h:99999/", "mongodb://u:hunter2@h/?w=nonsense&tls"])
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    raised(BadInput, "hunter2", lambda: MongoDBSource(MongoDBSettings(url=url, database="d")).check())


def test_a_standalone_server_is_written_without_transactions(end: End) -> None:
    """The replica set plays one: what differs is only that there are no transactions."""
    columns = one_column(Kind.TEXT)

    def alone(write: Write, **more: Any) -> MongoDBWriter:
        writer = end.writer(write, columns, key=("id",), **more)
        writer._transactions = False
        return writer

    writer = alone(Write.REPLACE)
    writer.write(Batch(stream="x", rows=[{"id": 1, "v": "a"}], bytes=1, checkpoint={"n": 1}), columns)
    assert writer.position() is None
    newer = alone(Write.UPSERT, token=3)
    newer.write(Batch(stream="x", rows=[{"id": 2, "v": "b"}], bytes=1, checkpoint={"n": 2}), columns)
    with pytest.raises(LostClaim):
        writer.write(Batch(stream="x", rows=[{"id": 3, "v": "c"}], bytes=1, checkpoint={"n": 3}), columns)
    assert [one["id"] for one in end.find()] == [2]
