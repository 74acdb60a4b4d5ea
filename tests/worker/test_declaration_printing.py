"""What is printed of a declaration reads back as it was, prints as the same bytes, and pleases editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bson
import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.connection import Connection
from worker.declaration import connection_document, job_document, load, print_file
from worker.declaration.file import _Reader
from worker.declaration.schema import file_schema
from worker.job import CatchUp, Delete, Drift, Guards, Job, Mode, Overlap, Retry, Schedule, StreamSpec, Write
from worker.store.jobs import from_document, to_document

EDITOR = jsonschema.Draft202012Validator(file_schema())
# What YAML would make something else of, or what a printer breaks in two.
TRICKY = [
    "*/5", "on", "off", "no", "007", "1e3", "0x1F", "0o17", "1_000", ".inf", ".nan", "~", "null", "true", "2026-01-01",
    "1:30", "- a", "a: b", "a #b", "#a", "'", '"', "\\", "%", "@a", "`a", "&a", "*a", "!a", "|", ">", "?", ": ", "{a}",
    "[a]", "=", "<<", " a", "a ", "a\nb", "a\r\nb", "\ta", "\u2028", "\x85", "\ufeff", "\x07", "\ud7ff", "😀",
    "e\u0301", "x" * 255, "a b " * 60,
]  # fmt: skip
plain_names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
names = plain_names | st.sampled_from(TRICKY)
columns = st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
LOOKBACKS: list[str | float] = ["1h", "90s", 5.0, 0.5]
seconds = st.integers(1, 10**8).map(lambda ms: max(1.0, ms / 1000))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, width=32) | names,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
conditions = st.dictionaries(names, json_values, min_size=1, max_size=2)
file_options = st.fixed_dictionaries(
    {},
    optional={
        "format": st.sampled_from(["csv", "jsonl", "csv.gz", "jsonl.gz"]),
        "glob": names,
        "types": st.sampled_from(["infer", "text"]),
        "null_values": st.lists(st.text(max_size=3), min_size=1, max_size=2),
        "delimiter": st.sampled_from([";", "\t", "|", "ö"]),
        "encoding": st.sampled_from(["latin-1", "utf-16"]),
        "on_bad_row": st.sampled_from(["fail", "skip"]),
        "max_ratio": st.sampled_from([1, 2**40, "200"]),
    },
)
# By connector: what a stream may say besides, at its source and at its destination; and settings of a connection.
SOURCE_OPTIONS = {
    "files": file_options,
    "sqlite": st.fixed_dictionaries({}, optional={"where": names, "query": names}),
    "postgres": st.fixed_dictionaries({}, optional={"where": names, "query": names}),
    "mongodb": st.fixed_dictionaries(
        {}, optional={"filter": conditions, "timestamps": st.sampled_from(["date", "text"])}
    ),
}
DESTINATION_OPTIONS = SOURCE_OPTIONS | {
    "sqlite": st.just({}),
    "postgres": st.just({}),
    "mongodb": st.fixed_dictionaries({}, optional={"timestamps": st.sampled_from(["date", "text"])}),
}
SETTINGS = {
    "files": st.builds(
        lambda path, more: {"path": f"/data/{path}", **more}, names.filter(lambda p: "://" not in p), file_options
    ),
    "sqlite": st.fixed_dictionaries({"path": names}),
    "postgres": st.fixed_dictionaries(
        {"url": st.sampled_from(["${SHOP_URL}", "postgresql://u:${PW}@${HOST}/d", "file:/run/secrets/url"])},
        optional={"schema": names},
    ),
    "mongodb": st.fixed_dictionaries(
        {
            "url": st.sampled_from(["${LAKE_URL}", "mongodb://u:${PW}@h/"]),
            "database": st.sampled_from(["lake", "007", "on"]),
        },
        optional={"timestamps": st.sampled_from(["date", "text", "${WHICH}"])},
    ),
}


@st.composite
def streams(draw: st.DrawFn, options: st.SearchStrategy[dict[str, Any]] = st.just({})) -> StreamSpec:  # noqa: B008
    mode = draw(st.sampled_from(Mode))
    write = draw(st.sampled_from([Write.APPEND, Write.UPSERT] if mode is Mode.INCREMENTAL else list(Write)))
    again = mode is Mode.INCREMENTAL and write is Write.UPSERT
    key = draw(columns) if write.keyed else draw(columns | st.just(()))
    deleted = draw(st.none() | names) if write.keyed else None
    soft = write is Write.MIRROR or deleted is not None
    policies = [one for one in Drift if not (write is Write.MIRROR and one is Drift.DISCARD_ROW)]
    return StreamSpec(
        name=draw(names),
        mode=mode,
        write=write,
        target=draw(st.none() | names),
        cursor=draw(names) if mode is Mode.INCREMENTAL else draw(st.none() | names),
        key=key,
        lookback=draw(st.none() | st.sampled_from(LOOKBACKS)) if again else None,
        columns=draw(st.none() | columns.map(lambda some: (*key, *(one for one in some if one not in key)))),
        exclude=tuple(one for one in draw(columns | st.just(())) if one not in key),
        undo=draw(st.none() | seconds) if write is Write.REPLACE else None,
        rename=draw(st.dictionaries(names, names, max_size=2).filter(lambda d: len(set(d.values())) == len(d))),
        hash=draw(columns | st.just(())),
        metadata=draw(st.sampled_from([(), ("_run_id",), ("_synced_at", "_run_id")])),
        schema=draw(st.sampled_from(policies)),
        delete=draw(st.sampled_from(Delete)) if soft else Delete.HARD,
        deleted=deleted,
        options=draw(options),
    )


schedules = st.builds(
    Schedule,
    cron=st.sampled_from(["*/5 * * * *", "0 2 * * mon-fri", "@daily"]),
    timezone=st.sampled_from(["UTC", "Europe/Paris"]),
    jitter=st.sampled_from([0.0, 90.0]),
) | st.builds(Schedule, every=seconds)


@st.composite
def declarations(draw: st.DrawFn) -> tuple[dict[str, Connection], Job]:
    """Two connections of any type and one job between them, with anything that may be said of it."""
    ends = {"shop": draw(st.sampled_from(sorted(SETTINGS))), "lake": draw(st.sampled_from(sorted(SETTINGS)))}
    connections = {id: Connection(id=id, type=type_, settings=draw(SETTINGS[type_])) for id, type_ in ends.items()}
    options = st.builds(lambda a, b: {**a, **b}, SOURCE_OPTIONS[ends["shop"]], DESTINATION_OPTIONS[ends["lake"]])
    backoff = draw(seconds)
    some = draw(st.lists(streams(options), min_size=1, max_size=2, unique_by=lambda one: one.name))
    targets = {one.destination_name for one in some}
    return connections, Job(
        id=draw(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,9}", fullmatch=True)),
        source="shop",
        destination="lake",
        streams=tuple(some) if len(targets) == len(some) else (some[0],),
        schedule=draw(st.none() | schedules),
        retry=Retry(attempts=draw(st.integers(1, 100)), backoff=backoff, max_backoff=round(backoff + draw(seconds), 3)),
        timeout=draw(st.none() | seconds),
        catch_up=draw(st.sampled_from(CatchUp)),
        overlap=draw(st.sampled_from(Overlap)),
        guards=Guards(
            max_delete=draw(st.none() | st.integers(0, 100).map(lambda percent: percent / 100)),
            max_shrink=draw(st.none() | st.integers(0, 100).map(lambda percent: percent / 100)),
        ),
        verify=draw(st.booleans()),
        enabled=draw(st.booleans()),
    )


def printed(connections: Mapping[str, Connection], job: Job) -> str:
    return print_file({id: connection_document(one) for id, one in connections.items()}, {job.id: job_document(job)})


@settings(deadline=None, max_examples=120)
@given(declarations())
def test_what_is_printed_reads_back_as_it_was_and_prints_as_the_same_bytes(
    declared: tuple[dict[str, Connection], Job],
) -> None:
    connections, one = declared
    text = printed(connections, one)
    read = load(text)
    assert (read.connections, read.jobs) == (connections, {one.id: one})
    assert printed(read.connections, read.jobs[one.id]) == text
    assert from_document(stored(to_document(one), one)) == one


def stored(document: dict[str, Any], job: Job) -> dict[str, Any]:
    """As it comes back from MongoDB, through real BSON."""
    kept = {"_id": job.id, "created_at": None, "updated_at": None, "revision": 1, "last_sequence": 0}
    back: dict[str, Any] = bson.decode(bson.encode(document | kept))
    return back


@settings(deadline=None, max_examples=120)
@given(declarations())
def test_the_schema_for_editors_takes_all_that_the_parser_takes(declared: tuple[dict[str, Connection], Job]) -> None:
    document = _Reader().read(printed(*declared))
    errors = [f"{error.json_path}: {error.message}" for error in EDITOR.iter_errors(document)]
    assert errors == []
