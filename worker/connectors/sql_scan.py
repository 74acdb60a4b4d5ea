"""What to ask a SQL source for: rows in an order that a checkpoint can go on from. It builds text and runs nothing.

Full reads go in the order of the stream's key, incremental ones in that of (cursor, key). The upper bound of an
incremental read is the caller's to fix, before the first row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.batch import Row
from worker.connectors.checkpoint_values import earlier, pack, unpack
from worker.connectors.protocol import Stream
from worker.duration import parse_duration
from worker.errors import BadInput, BadValue, Fault
from worker.job import Mode, StreamSpec, Write
from worker.sync.types import Kind


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a database spells columns and the parameters beside them; `stored` gives a value as it lies there.

    `conditions` are those of the job (`where`), spelled as the driver wants them.
    """

    quote: Callable[[str], str]
    parameter: Callable[[str], str]
    stored: Callable[[str, Any], Any] = lambda column, value: value
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The tail of a SELECT with its parameters; `after` makes the checkpoint that follows a row.

    Where `edge` is set, rows of one cursor value must stay in one batch: nothing else tells them apart.
    """

    tail: str
    parameters: tuple[Any, ...]
    after: Callable[[Row], Any] | None
    edge: Callable[[Row], Any] | None = None


def where_of(spec: StreamSpec) -> str | None:
    """The stream's own condition in brackets; its last line may end in a comment."""
    where = spec.options.get("where")
    return None if where is None else f"({where}\n)"


def query_of(spec: StreamSpec) -> str | None:
    """The stream's query in brackets, to be read as a table is; None where it is a table."""
    query = spec.options.get("query")
    return None if query is None else f"({str(query).rstrip().removesuffix(';')}\n)"


# How many rows are asked for by key at once: SQLite nests no condition deeper than 1,000.
PICKED = 200

# Kinds that no checkpoint can hold.
_UNORDERED = frozenset({Kind.JSON, Kind.ARRAY})


def order_key(spec: StreamSpec, stream: Stream) -> tuple[str, ...]:
    """The columns that break ties: the source's own key, else the one that the job names."""
    return stream.key or spec.key


def check_spec(spec: StreamSpec, stream: Stream) -> None:
    """Raise BadInput for a cursor that is missing or unknown, and for a lookback with append."""
    faults = []
    names = {column.name for column in stream.columns}
    if spec.mode is Mode.INCREMENTAL:
        if spec.cursor is None:
            hint = f"; {stream.cursor!r} looks right" if stream.cursor else ""
            faults.append(Fault(field=f"{spec.name}.cursor", message=f"is needed for incremental{hint}"))
        elif spec.cursor not in names:
            message = f"{spec.cursor!r} is no column of the source; it has {', '.join(sorted(names))}"
            faults.append(Fault(field=f"{spec.name}.cursor", message=message))
        if spec.write is Write.APPEND and spec.lookback is not None:
            faults.append(Fault(field=f"{spec.name}.lookback", message="is not for append: rows would come twice"))
    for name in spec.key:
        if name not in names:
            message = f"{name!r} is no column of the source; it has {', '.join(sorted(names))}"
            faults.append(Fault(field=f"{spec.name}.key", message=message))
    if faults:
        raise BadInput(faults)


def full(stream: Stream, checkpoint: Any, dialect: Dialect) -> Scan:
    """All rows, in the order of the stream's own key where it has one; without a key nothing can be resumed."""
    key = stream.key
    conditions = list(dialect.conditions)
    if not key or _UNORDERED & {column.type.kind for column in stream.columns if column.name in key}:
        return Scan(tail=_where(conditions), parameters=(), after=None)
    columns = ", ".join(map(dialect.quote, key))
    parameters: tuple[Any, ...] = ()
    if checkpoint is not None and checkpoint.get("by") == list(key):
        values = ", ".join(map(dialect.parameter, key))
        conditions.append(f"({columns}) > ({values})")
        parameters = _values(key, checkpoint["after"], dialect)
    return Scan(
        tail=f"{_where(conditions)} ORDER BY {columns}",
        parameters=parameters,
        after=lambda row: {"by": list(key), "after": [pack(_present(row, name)) for name in key]},
    )


def incremental(spec: StreamSpec, stream: Stream, checkpoint: Any, bound: Any, dialect: Dialect) -> Scan:
    """Rows up to `bound`: for append strictly after (cursor, key), else from the checkpoint on, less the lookback."""
    assert spec.cursor is not None
    cursor, key = spec.cursor, tuple(name for name in order_key(spec, stream) if name != spec.cursor)
    column, parameter = dialect.quote(cursor), dialect.parameter(cursor)
    conditions, parameters = [*dialect.conditions, f"{column} <= {parameter}"], [bound]
    if checkpoint is not None and checkpoint.get("by") != [cursor, *key]:
        _refuse_append(spec, checkpoint)
    elif checkpoint is not None and spec.write is Write.APPEND:
        columns = ", ".join(map(dialect.quote, (cursor, *key)))
        values = ", ".join(map(dialect.parameter, (cursor, *key)))
        conditions.append(f"({columns}) > ({values})")
        parameters += _values((cursor, *key), checkpoint["after"], dialect)
    elif checkpoint is not None:
        conditions.append(f"{column} >= {parameter}")
        parameters.append(dialect.stored(cursor, lower_bound(spec, unpack(checkpoint["after"][0]))))
    order = ", ".join(map(dialect.quote, (cursor, *key)))
    return Scan(
        tail=f"{_where(conditions)} ORDER BY {order}",
        parameters=tuple(parameters),
        after=_after((cursor, *key), checkpoint if spec.lookback is not None else None),
        edge=None if key or spec.write is not Write.APPEND else lambda row: row[cursor],
    )


def picked(keys: Sequence[Mapping[str, Any]], dialect: Dialect) -> Scan:
    """The rows that have one of `keys`, each by the same columns. Not more than PICKED at once."""
    names = list(keys[0])
    if len(names) == 1:
        marks = ", ".join([dialect.parameter(names[0])] * len(keys))
        chosen = f"{dialect.quote(names[0])} IN ({marks})"
    else:
        each = " AND ".join(f"{dialect.quote(name)} = {dialect.parameter(name)}" for name in names)
        chosen = " OR ".join([f"({each})"] * len(keys))
    parameters = tuple(dialect.stored(name, key[name]) for key in keys for name in names)
    return Scan(tail=_where([*dialect.conditions, f"({chosen})"]), parameters=parameters, after=None)


def _where(conditions: Sequence[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _after(order: Sequence[str], start: Any) -> Callable[[Row], Any]:
    """The checkpoint that follows a row; while a lookback reads old rows again, the one it `start`ed from."""
    floor = unpack(start["after"][0]) if start is not None and start.get("by") == list(order) else None

    def after(row: Row) -> Any:
        nonlocal floor
        if floor is not None:
            if _before(row[order[0]], floor):
                return start
            floor = None
        return {"by": list(order), "after": [pack(_present(row, name)) for name in order]}

    return after


def _before(value: Any, floor: Any) -> bool:
    try:
        return bool(value < floor)
    except TypeError:  # an infinity, kept as text
        return False


def _values(columns: Sequence[str], packed: Sequence[Any], dialect: Dialect) -> tuple[Any, ...]:
    return tuple(dialect.stored(name, unpack(one)) for name, one in zip(columns, packed, strict=True))


def _refuse_append(spec: StreamSpec, checkpoint: Any) -> None:
    """A checkpoint by other columns cannot be gone on from. Upsert starts anew; append would send rows twice."""
    if spec.write is Write.APPEND:
        message = f"the checkpoint is by {checkpoint.get('by')}, not by this cursor and key; reset the job"
        raise BadInput([Fault(field=f"{spec.name}.cursor", message=message)])


def _present(row: Row, name: str) -> Any:
    if row[name] is None:
        raise BadValue(f"key column {name} is null in a row: it cannot order rows; name another key", column=name)
    return row[name]


def lower_bound(spec: StreamSpec, value: Any) -> Any:
    """Where an upsert reads from: the checkpoint's cursor less the lookback."""
    if spec.lookback is None:
        return value
    try:
        seconds = parse_duration(spec.lookback)
    except ValueError:
        seconds = None
    try:
        return earlier(value, spec.lookback, seconds)
    except (TypeError, OverflowError) as error:
        message = f"{spec.lookback!r} does not go with cursor value {value!r}: {error}"
        raise BadInput([Fault(field=f"{spec.name}.lookback", message=message)]) from error


def suggested_cursor(columns: Sequence[Any]) -> str | None:
    """The column that most likely orders changes, by its name and type."""
    names = {column.name: column for column in columns}
    for likely in ("updated_at", "modified_at", "last_modified", "updated", "changed_at", "created_at"):
        if likely in names:
            return likely
    return next((c.name for c in columns if c.type.kind in ("timestamptz", "timestamp")), None)
