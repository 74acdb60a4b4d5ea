"""The declarative file: every mistake with its place, and printing that reads back as it was."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker import logs
from worker.connection import Connection
from worker.declaration import (
    job_document,
    literal_secrets,
    load,
    parse_connection,
    parse_job,
    print_file,
    resolve,
)
from worker.errors import BadInput, Fault
from worker.job import CatchUp, Guards, Job, Mode, Overlap, Retry, Schedule, StreamSpec, Write

CONNECTIONS = """\
version: 1
connections:
  shop: {type: sqlite, path: shop.db}
  lake: {type: mongodb, url: "${LAKE_URL}", database: lake}
"""
STREAM = "{name: orders, mode: incremental, cursor: updated_at, key: [id], write: upsert}"


def file(jobs: str) -> str:
    return CONNECTIONS + "jobs:\n" + textwrap.indent(textwrap.dedent(jobs), "  ")


def job(fields: str, streams: str = f"- {STREAM}") -> str:
    return file(f"orders:\n  source: shop\n  destination: lake\n  streams:\n    {streams}\n  {fields}\n")


def stream(fields: str) -> str:
    return job("enabled: true", f"- {{{fields}}}")


def faults_of(text: str | bytes) -> list[Fault]:
    with pytest.raises(BadInput) as caught:
        load(text)
    return caught.value.faults


def test_the_contracts_example_is_read_as_it_is_meant() -> None:
    declared = load(
        file(
            """\
            orders:
              source: shop
              destination: lake
              schedule: {cron: "*/5 * * * *", timezone: Europe/Paris}     # or {every: 15m}; absent: manual only
              streams:
                - {name: orders, mode: incremental, cursor: updated_at, key: [id], write: upsert}
                - {name: countries, mode: full, write: replace, target: country_list}
              retry: {attempts: 3, backoff: 10s, max_backoff: 10m}
              timeout: 1h
              catch_up: latest
              overlap: skip
              guards: {max_delete: 20%, max_shrink: 20%}
              enabled: true
            """
        )
    )
    assert declared.connections["lake"].settings == {"url": "${LAKE_URL}", "database": "lake"}
    assert declared.jobs["orders"] == Job(
        id="orders",
        source="shop",
        destination="lake",
        schedule=Schedule(cron="*/5 * * * *", timezone="Europe/Paris"),
        streams=(
            StreamSpec(name="orders", mode=Mode.INCREMENTAL, cursor="updated_at", key=("id",), write=Write.UPSERT),
            StreamSpec(name="countries", target="country_list"),
        ),
        retry=Retry(attempts=3, backoff=10, max_backoff=600),
        timeout=3600,
        catch_up=CatchUp.LATEST,
        overlap=Overlap.SKIP,
        guards=Guards(max_delete=0.2, max_shrink=0.2),
        enabled=True,
    )


# A file with one mistake -> where it stands, and a part of what is said.
MISTAKES = [
    ("", 1, 1, "is empty"),
    ("version: 2\n", 1, 1, "version: is 2; allowed: 1"),
    ("jobs: {}\n", 1, 1, "version: is missing"),
    ("version: 1\njob: {}\n", 2, 1, "did you mean jobs?"),
    ("version: 1\nconnections: [a]\n", 2, 1, "is a list"),
    ("version: 1\n--- \nversion: 1\n", 2, 1, "expected a single document"),
    ("version: 1\njobs: {a: [}\n", 2, 12, "is no YAML"),
    ("version: 1\nconnections: &a {x: *a}\n", 2, 14, "contains itself"),
    ("version: 1\nconnections: {x: !!python/name:os.system ''}\n", 2, 18, "has the tag"),
    ("version: 1\nconnections:\n  Shop: {type: sqlite, path: x}\n", 3, 3, "connections.Shop: is no id"),
    ("version: 1\nconnections:\n  s: {type: sqllite, path: x}\n", 3, 7, "did you mean sqlite?"),
    ("version: 1\nconnections:\n  s: {path: x}\n", 3, 3, "connections.s.type: is missing"),
    ("version: 1\nconnections:\n  s: {type: sqlite, pth: x, path: y}\n", 3, 21, "did you mean path?"),
    ("version: 1\nconnections:\n  s: {type: sqlite}\n", 3, 3, "connections.s.path"),
    ("version: 1\nconnections:\n  s: {type: sqlite, path: '${A-B}'}\n", 3, 21, "has ${A-B}; allowed: ${NAME}"),
    (job("timeout: 1h\n  timeout: 2h"), 12, 5, "is there twice, first in line 11"),
    (job("timeout: 10x"), 11, 5, "is '10x'; allowed: a duration"),
    (job("timeout: 0"), 11, 5, "is too short"),
    (job("schedule: {cron: '* * * *'}"), 11, 16, "which has 4 fields"),
    (job("schedule: {cron: '0 0 31 2 *'}"), 11, 16, "never fires"),
    (job("schedule: {every: 15m, cron: '* * * * *'}"), 11, 5, "needs either cron or every"),
    (job("schedule: {}"), 11, 5, "needs either cron or every"),
    (job("schedule: {every: 100ms}"), 11, 16, "allowed: 1s or more"),
    (job("schedule: {every: 1m, jitter: 2m}"), 11, 27, "allowed: up to 1m"),
    (job("schedule: {every: 1m, timezone: Mars/Olympus}"), 11, 27, "an IANA time zone"),
    (job("schedule: hourly"), 11, 5, "is a text; allowed: {cron:"),
    (job("schedule: {evry: 1m}"), 11, 16, "did you mean every?"),
    (job("catch_up: newest"), 11, 5, "is 'newest'; allowed: latest, all, none"),
    (job("overlap: [skip]"), 11, 5, "is a list; allowed: skip, queue"),
    (job("enabled: 1"), 11, 5, "is 1; allowed: true, false"),
    (job("retry: {attempts: 0}"), 11, 13, "a whole number from 1 to 100"),
    (job("retry: {backoff: 1h, max_backoff: 1m}"), 11, 26, "is below backoff, which is 1h"),
    (job("guards: {max_delete: 120%}"), 11, 14, "allowed: 0% to 100%, or off"),
    (job("schema: freez"), 11, 5, "allowed: evolve, freeze, discard_row, discard_value"),
    (job("source_: shop"), 11, 5, "did you mean source?"),
    (job("enabled: true", "[]"), 9, 5, "needs at least one stream"),
    (job("enabled: true", "- orders"), 10, 9, "streams[0]: is 'orders'; allowed: fields with values"),
    (job("enabled: true", "- {name: a}\n    - {name: a, target: b}"), 11, 10, "as streams[0] already is"),
    (job("enabled: true", "- {name: a}\n    - {name: b, target: a}"), 11, 9, "give it another target"),
    (stream("mode: full"), 10, 9, "streams[0].name: is missing"),
    (stream("name: ''"), 10, 10, "allowed: 1 to 255 characters"),
    (stream("name: a, mode: ful"), 10, 19, "is 'ful'; allowed: full, incremental"),
    (stream("name: a, mode: incremental, write: append"), 10, 9, "cursor: is missing"),
    (stream("name: a, mode: incremental, cursor: c"), 10, 9, "write: is missing"),
    (stream("name: a, mode: incremental, cursor: c, write: replace"), 10, 49, "it would lose older rows"),
    (stream("name: a, write: upsert"), 10, 9, "key: is missing"),
    (stream("name: a, write: upsert, key: []"), 10, 34, "key: is empty"),
    (stream("name: a, write: upsert, key: id"), 10, 34, "is 'id'; allowed: a list"),
    (stream("name: a, key: [id, id]"), 10, 19, "names id twice"),
    (stream("name: a, key: [id], exclude: [id]"), 10, 19, "names 'id', which columns or exclude leave out"),
    (stream("name: a, key: [id], columns: [b]"), 10, 19, "names 'id', which columns or exclude leave out"),
    (stream("name: a, rename: {a: c, b: c}"), 10, 19, "gives the name c to two columns"),
    (stream("name: a, write: mirror"), 10, 9, "is missing; write mirror needs"),
    (stream("name: a, mode: incremental, cursor: b, key: [id], write: mirror"), 10, 60, "must see the whole source"),
    (stream("name: a, delete: soft"), 10, 19, "nothing is deleted"),
    (stream("name: a, write: append, deleted: gone"), 10, 34, "it needs write upsert or mirror"),
    (stream("name: a, key: [id], write: mirror, schema: discard_row"), 10, 45, "would be deleted"),
    (stream("name: a, undo: 24h, write: append"), 10, 19, "it goes with write replace, not append"),
    (stream("name: a, undo: 0s"), 10, 19, "is too short; allowed: 1s or more, such as 24h"),
    (job("undo: tomorrow"), 11, 5, "allowed: a duration such as 10s"),
    (stream("name: a, hash: email"), 10, 19, "allowed: a list of texts"),
    (stream("name: a, metadata: [_when]"), 10, 19, "allowed: _synced_at, _run_id"),
    (stream("name: a, lookback: 1h"), 10, 19, "it needs mode incremental and write upsert"),
    (stream("name: a, mode: incremental, cursor: c, key: [i], write: upsert, lookback: x"), 10, 74, "a duration"),
    (stream("name: a, targt: b"), 10, 19, "did you mean target?"),
    (file("Orders: {source: shop, destination: lake, streams: [{name: a}]}"), 6, 3, "jobs.Orders: is no id"),
    (file("o: {source: shp, destination: lake, streams: [{name: a}]}"), 6, 7, "did you mean shop?"),
    (file("o: {source: shop, destination: shop2, streams: [{name: a}]}"), 6, 21, "which is no connection"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), MISTAKES, ids=[row[3] for row in MISTAKES])
def test_a_mistake_is_told_with_its_place(text: str, line: int, column: int, message: str) -> None:
    (fault,) = faults_of(text)
    assert message in f"{fault.field}: {fault.message}"
    assert (fault.line, fault.column) == (line, column)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = job("timeout: never\n  catch_up: some\n  retry: {attempts: many}") + "version_: 1\n"
    found = faults_of(text)
    assert [fault.line for fault in found] == [11, 12, 13, 14]


def test_a_star_without_quotes_gets_a_hint() -> None:
    (fault,) = faults_of(job("schedule: {cron: */5 * * * *}"))
    assert 'quote a text that begins with *, such as cron: "*/5 * * * *"' in fault.message
    assert fault.line == 11


def test_an_alias_bomb_is_refused_in_time() -> None:
    layers = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    (fault,) = faults_of("version: 1\nconnections:\n  a0: &a0 [x]\n  " + "\n  ".join(layers) + "\n")
    assert "unfold without end" in fault.message


def test_deep_nesting_is_refused() -> None:
    (fault,) = faults_of("version: 1\njobs: " + "[" * 5000 + "]" * 5000)
    assert "nested too deeply" in fault.message


def test_a_wrong_byte_is_told_with_its_line() -> None:
    (fault,) = faults_of(b"version: 1\n# caf\xe9\n")
    assert (fault.line, fault.column, fault.message) == (2, 6, "is not UTF-8: byte 0xe9")


def test_a_byte_order_mark_and_windows_lines_are_fine() -> None:
    assert load(("\ufeff" + job("enabled: false")).replace("\n", "\r\n").encode()).jobs["orders"].enabled is False


def test_scalars_that_yaml_would_twist_stay_texts() -> None:
    text = "version: 1\nconnections:\n  on: {type: sqlite, path: 2026-01-01}\n  123: {type: sqlite, path: 1:30}"
    found = load(text).connections
    assert {id: one.settings["path"] for id, one in found.items()} == {"on": "2026-01-01", "123": "1:30"}


@pytest.mark.parametrize("text", ["off", "false", "no", '"off"'])
def test_guards_can_be_off(text: str) -> None:
    assert load(job(f"guards: {text}")).jobs["orders"].guards == Guards(max_delete=None, max_shrink=None)


def test_one_guard_can_be_off() -> None:
    found = load(job("guards: {max_delete: off, max_shrink: 0.5}")).jobs["orders"]
    assert found.guards == Guards(max_delete=None, max_shrink=0.5)
    assert job_document(found)["guards"] == {"max_delete": False, "max_shrink": "50%"}


def test_a_large_backoff_lifts_the_default_cap() -> None:
    found = load(job("retry: {backoff: 15m}")).jobs["orders"]
    assert found.retry == Retry(attempts=3, backoff=900, max_backoff=900)
    assert job_document(found)["retry"] == {"backoff": "15m"}


def test_a_job_from_json_has_paths_and_no_places() -> None:
    document = {"source": "a", "destination": "b", "streams": [{"name": "x", "mode": "incremental", "write": "append"}]}
    with pytest.raises(BadInput) as caught:
        parse_job("orders", document)
    (fault,) = caught.value.faults
    assert (fault.field, fault.line) == ("streams[0].cursor", None)


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_what_is_no_mapping_is_refused(document: object) -> None:
    with pytest.raises(BadInput, match="allowed: fields with values"):
        parse_job("orders", document)
    with pytest.raises(BadInput, match="allowed: fields with values"):
        parse_connection("shop", document)


def test_a_mongodb_source_has_a_key_of_its_own() -> None:
    document = {"source": "a", "destination": "b", "streams": [{"name": "x", "write": "upsert"}]}
    assert parse_job("x", document, types={"a": "mongodb", "b": "sqlite"}).streams[0].key == ()


# References and secrets.


def connection(**settings_: Any) -> Connection:
    return Connection(id="lake", type="mongodb", settings=settings_)


def test_references_are_filled_from_the_environment() -> None:
    found = resolve(connection(url="mongodb://u:${PW}@h/$${PW}", database="${DB}"), {"PW": "p$w", "DB": "d"})
    assert found.settings == {"url": "mongodb://u:p$w@h/${PW}", "database": "d"}


def test_an_unset_reference_is_one_error_that_names_all() -> None:
    with pytest.raises(BadInput) as caught:
        resolve(connection(url="${A}", database="${B}"), {})
    assert [str(fault.field) for fault in caught.value.faults] == ["connections.lake.url", "connections.lake.database"]
    assert "refers to ${A}, which is not set" in str(caught.value)


def test_what_depends_on_a_reference_is_not_checked_before_it_is_known() -> None:
    assert parse_connection("lake", {"type": "mongodb", "url": "${ANYTHING}", "database": "d"})
    with pytest.raises(BadInput):
        parse_connection("lake", {"type": "mongodb", "url": "${ANYTHING}"})


def test_resolved_secrets_never_reach_a_log() -> None:
    resolve(connection(url="mongodb://u:${PW}@h/", database="d"), {"PW": "correct/horse@battery"})
    assert "correct/horse@battery" not in logs.redact("cannot log in with correct/horse@battery")


@pytest.mark.parametrize(
    ("url", "literal"),
    [
        ("${LAKE_URL}", False),
        ("mongodb://${USER}:${PW}@${HOST}/x", False),
        ("mongodb://u:${PW}@h/x?tls=true", False),
        ("mongodb://h/x", True),
        ("mongodb://u:geheim@${HOST}/x", True),
        ("mongodb://u:${PW}geheim@h/x", True),
        ("mongodb://u:${PW}@h/x?password=geheim", True),
        ("geheim${PW}", True),
        ("mongodb://u:$${PW}@h/x", True),
    ],
)
def test_a_secret_is_printed_only_where_it_is_all_references(url: str, literal: bool) -> None:
    assert literal_secrets(connection(url=url, database="d")) == (["url"] if literal else [])


# There and back.

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
columns = st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
LOOKBACKS: list[str | float] = ["1h", "90s", 5.0, 0.5]
seconds = st.integers(1, 10**8).map(lambda ms: max(1.0, ms / 1000))


@st.composite
def streams(draw: st.DrawFn) -> StreamSpec:
    mode = draw(st.sampled_from(Mode))
    write = draw(st.sampled_from([Write.APPEND, Write.UPSERT] if mode is Mode.INCREMENTAL else list(Write)))
    again = mode is Mode.INCREMENTAL and write is Write.UPSERT
    key = draw(columns) if write.keyed else draw(columns | st.just(()))
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
    )


schedules = st.builds(
    Schedule,
    cron=st.sampled_from(["*/5 * * * *", "0 2 * * mon-fri", "@daily"]),
    timezone=st.sampled_from(["UTC", "Europe/Paris"]),
    jitter=st.sampled_from([0.0, 90.0]),
) | st.builds(Schedule, every=seconds)


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    backoff = draw(seconds)
    some = draw(st.lists(streams(), min_size=1, max_size=2, unique_by=lambda one: one.name))
    targets = {one.destination_name for one in some}
    return Job(
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
        enabled=draw(st.booleans()),
    )


@settings(deadline=None, max_examples=60)
@given(jobs())
def test_a_job_reads_back_as_it_was_printed(one: Job) -> None:
    documents: Mapping[str, Any] = {"shop": {"type": "sqlite", "path": "x"}, "lake": {"type": "sqlite", "path": "y"}}
    text = print_file(documents, {one.id: job_document(one)})
    read = load(text).jobs[one.id]
    assert read == one
    assert print_file(documents, {read.id: job_document(read)}) == text


def test_a_jobs_undo_is_for_those_of_its_streams_that_are_replaced() -> None:
    streams = [{"name": "a"}, {"name": "b", "undo": "1h"}, {"name": "c", "write": "append"}]
    found = parse_job("x", {"source": "a", "destination": "b", "undo": "24h", "streams": streams}).streams
    assert [one.undo for one in found] == [86_400.0, 3_600.0, None]


def test_a_streams_options_are_those_of_the_jobs_connectors() -> None:
    document = {"source": "a", "destination": "b", "streams": [{"name": "x", "types": "text", "null_values": ["NA"]}]}
    found = parse_job("x", document, types={"a": "files", "b": "sqlite"}).streams[0]
    assert found.options == {"types": "text", "null_values": ["NA"]}
    assert job_document(parse_job("x", document))["streams"][0]["types"] == "text"
    with pytest.raises(BadInput, match="is not known here"):
        parse_job("x", document, types={"a": "sqlite", "b": "sqlite"})
