"""The declarative file: every mistake with its place, and printing that reads back as it was."""

from __future__ import annotations

import textwrap
from typing import Any

import jsonschema
import pytest

from worker import logs
from worker.connection import Connection
from worker.declaration import file as reading
from worker.declaration import (
    job_document,
    literal_secrets,
    load,
    parse_connection,
    parse_job,
    resolve,
)
from worker.declaration.file import _Reader
from worker.declaration.notes import notes
from worker.declaration.schema import file_schema
from worker.errors import BadInput, Fault
from worker.job import CatchUp, Guards, Job, Mode, Overlap, Retry, Schedule, StreamSpec, Write

CONNECTIONS = """\
version: 1
connections:
  shop: {type: sqlite, path: shop.db}
  lake: {type: mongodb, url: "${LAKE_URL}", database: lake}
"""
EDITOR = jsonschema.Draft202012Validator(file_schema())
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
    ("version: 1\nconnections:\n\ts: {type: sqlite}\n", 3, 1, "indent with blanks"),
    ("version: 1\n? [a, b]\n: c\n", 2, 3, "has a key that is no text"),
    ("version: '1'\n", 1, 1, "version: is '1'; allowed: 1"),
    ("version: true\n", 1, 1, "allowed: 1"),
    ("version: 1\nversion: 1\n", 2, 1, "is there twice, first in line 1"),
    ("version: 1\njobs: {a: *nowhere}\n", 2, 11, "undefined alias"),
    ("version: 1\nconnections:\n  s: {type: 3}\n", 3, 7, "is 3; allowed: a text (quote it)"),
    ("version: 1\nconnections:\n  s: {type: sqlite, path: 7}\n", 3, 21, "valid string"),
    ("version: 1\nconnections:\n  s: sqlite\n", 3, 3, "is 'sqlite'; allowed: fields with values"),
    ("version: 1\nconnections:\n  s: {type: files, path: x, types: guess}\n", 3, 29, "'infer' or 'text'"),
    ("version: 1\nconnections:\n  s: {type: mongodb, url: 'http://x', database: d}\n", 3, 22, "mongodb://"),
    (f"version: 1\nconnections:\n  {'x' * 64}: {{type: sqlite, path: x}}\n", 3, 3, "up to 63"),
    (job("schedule: {cron: '*/5 * * *'}"), 11, 16, "allowed: five (minute, hour, day of month, month, day of week)"),
    (job("schedule: {cron: '61 * * * *'}"), 11, 16, "has '61' as minute"),
    (job("schedule: {cron: '* 24 * * *'}"), 11, 16, "has '24' as hour"),
    (job("schedule: {cron: '* * * * mo'}"), 11, 16, "has 'mo' as day of week"),
    (job("schedule: {cron: '* * * * * *'}"), 11, 16, "use `every` for less than a minute"),
    (job("schedule: {every: 1m, timezone: Europe/Pari}"), 11, 27, "did you mean Europe/Paris?"),
    (job("schedule: {every: 2 days}"), 11, 16, "allowed: a duration such as 10s, 15m"),
    (job("overlap: que"), 11, 5, "did you mean queue?"),
    (job("guards: sometimes"), 11, 5, "is 'sometimes'; allowed: fields with values"),
    (job("guards: {max_shrnk: 1%}"), 11, 14, "did you mean max_shrink?"),
    (job("retry: 3"), 11, 5, "is 3; allowed: fields with values"),
    (job("retry: {tries: 3}"), 11, 13, "is not known here"),
    (stream("name: a, write: upsrt, key: [id]"), 10, 19, "did you mean upsert?"),
    (stream("name: 5"), 10, 10, "is 5; allowed: a text (quote it)"),
    (stream("name: a, timestamps: txt"), 10, 19, "streams[0].timestamps: Input should be 'date' or 'text'"),
    (stream("name: a, filter: {a: 1}"), 10, 19, "is not known here"),
    (file("Orders: {source: shop, destination: lake, streams: [{name: a}]}"), 6, 3, "jobs.Orders: is no id"),
    (file("o: {source: shp, destination: lake, streams: [{name: a}]}"), 6, 7, "did you mean shop?"),
    (file("o: {source: shop, destination: shop2, streams: [{name: a}]}"), 6, 21, "which is no connection"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), MISTAKES, ids=[row[3] for row in MISTAKES])
def test_a_mistake_is_told_with_its_place(text: str, line: int, column: int, message: str) -> None:
    (fault,) = faults_of(text)
    assert message in f"{fault.field}: {fault.message}"
    assert (fault.line, fault.column) == (line, column)


# What an editor is told already.
TELLING = (
    "did you mean jobs?", "did you mean sqlite?", "did you mean path?", "did you mean every?", "did you mean source?",
    "did you mean target?", "did you mean queue?", "did you mean upsert?", "did you mean max_shrink?", "is a list;",
    "allowed: latest, all", "allowed: evolve", "allowed: true, false", "allowed: full", "a whole number",
    "Shop: is no id",
    "type: is missing", "name: is missing", "cursor: is missing", "write: is missing", "allowed: a list", "up to 63",
    "key: is empty", "names id twice", "_synced_at", "'infer' or 'text'", "'date' or 'text'", "is 2; allowed: 1",
    "is a text;",
)  # fmt: skip


@pytest.mark.parametrize("part", TELLING)
def test_the_schema_for_editors_tells_it_too(part: str) -> None:
    told = [row[0] for row in MISTAKES if part in row[3]]
    assert told, "no mistake has these words"
    for text in told:
        assert not EDITOR.is_valid(_Reader().read(text)), text


def test_a_large_file_is_read_by_the_fast_reader_as_by_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = "".join(f"  j{n}: {{source: shop, destination: lake, streams: [{{name: ö{n}}}]}}\n" for n in range(50))
    text = CONNECTIONS + "jobs:\n" + jobs
    slow = load(text)
    monkeypatch.setattr(reading, "_LARGE", 10)
    fast = load(text)
    assert fast == slow and fast.places == slow.places
    for broken, line, column, message in MISTAKES:
        (fault,) = faults_of(broken)
        assert (fault.line, fault.column) == (line, column), message
        assert message in f"{fault.field}: {fault.message}"


def test_a_huge_file_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    (fault,) = faults_of(b"version: 1\n#" + b"x" * 1000)
    assert "is too large" in fault.message


def test_what_is_no_mistake_is_noted_with_its_place() -> None:
    text = file(
        """\
        one: {source: shop, destination: lake, streams: [{name: a}]}
        two: {source: shop, destination: lake, streams: [{name: b}, {name: c, target: a, write: append}]}
        own: {source: shop, destination: shop, streams: [{name: a}]}
        """
    )
    found = [(one.line, one.column, one.message) for one in notes(load(text), ["LAKE_UR"])]
    assert [place[:2] for place in found] == [(4, 25), (7, 63), (8, 52)]
    assert "refers to ${LAKE_URL}, which is not set here" in found[0][2] and "did you mean ${LAKE_UR}?" in found[0][2]
    assert "'a' of lake, as job one does" in found[1][2]
    assert "which it reads from" in found[2][2]
    assert len(notes(load(text), ["LAKE_URL"])) == 2


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
