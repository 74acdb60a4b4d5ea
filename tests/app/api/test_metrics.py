"""The metrics: one table, what is served from it, its page, the alerts and the dashboard made of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.app.api.conftest import MakeClient
from tests.app.api.test_jobs import Nudged
from worker import metrics
from worker.metrics import METRICS, Counters, Kind, Tally
from worker.run import Trigger
from worker.store import Store

ROOT = Path(__file__).parents[3]
ALERTS = ROOT / "deploy" / "prometheus-alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"
BY_NAME = {metric.name: metric for metric in METRICS}
FOREIGN = {"process_resident_memory_bytes"}


def families(client: TestClient) -> dict[str, Any]:
    text = client.get("/metrics").text
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(client: TestClient, name: str) -> dict[tuple[str, ...], float]:
    """Samples of that name by the values of their labels."""
    text = client.get("/metrics").text
    found = [one for family in text_string_to_metric_families(text) for one in family.samples if one.name == name]
    return {tuple(one.labels.values()): one.value for one in found}


@pytest.fixture
def busy(make_client: MakeClient, job: dict[str, Any], store: Store) -> TestClient:
    """An API whose process counted something of every metric."""
    for metric in METRICS:
        labels: Any = dict.fromkeys(metric.labels, "orders")
        if metric.kind is Kind.COUNTER:
            metrics.COUNTERS.count(metric, **labels)
        elif metric.kind is Kind.HISTOGRAM:
            metrics.COUNTERS.observe(metric, 0.2, **labels)
    store.database["jobs"].update_one({"_id": "orders"}, {"$set": {"data_as_of": store.now()}})
    return make_client(worker=Nudged())


def test_what_is_served_is_what_the_table_says(busy: TestClient) -> None:
    found = {name: one for name, one in families(busy).items() if name.startswith("syncworker")}
    described = {name.removesuffix("_total"): metric for name, metric in BY_NAME.items()}
    assert set(found) == set(described)
    for name, family in found.items():
        metric = described[name]
        assert (family.type, family.documentation) == (str(metric.kind), metric.words), name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels), sample


def test_the_page_lists_exactly_the_table() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(syncworker_\w+)` \| ([\w, ]+) \|([^|]*)\|", page, flags=re.MULTILINE)
    listed = {name: (kind.replace(", shared", ""), ", shared" in kind, re.findall(r"`(\w+)`", labels)) for
              name, kind, labels in rows}  # fmt: skip
    assert listed == {m.name: (str(m.kind), m.shared, list(m.labels)) for m in METRICS}


def test_names_and_words_are_as_prometheus_wants_them() -> None:
    """The rules of `promtool check metrics`."""
    for metric in METRICS:
        assert re.fullmatch(r"syncworker(_[a-z]+)+", metric.name), metric.name
        assert metric.words and metric.words.endswith("."), metric.name
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric.name
        assert not re.search(r"_(count|sum|bucket|gauge|counter|histogram|summary)$", metric.name), metric.name
        assert not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb|kilobytes)(_|$)", metric.name), metric.name
        assert not {"le", "quantile", "job", "instance"} & set(metric.labels), metric.name
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM), metric.name
        assert list(metric.buckets) == sorted(set(metric.buckets)), metric.name


def test_promtool_has_nothing_to_say(busy: TestClient) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool; its rules are checked above")
    ours = [line for line in busy.get("/metrics").text.splitlines() if "syncworker" in line]
    text = "\n".join(ours) + "\n"
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    subprocess.run([promtool, "check", "rules", str(ALERTS)], check=True, capture_output=True)


# What they count.


def test_the_age_of_data_the_queue_and_the_jobs_are_told(client: TestClient, job: dict[str, Any], store: Store) -> None:
    store.runs.create("orders", Trigger.MANUAL)
    now = store.now()
    store.database["jobs"].update_one({"_id": "orders"}, {"$set": {"data_as_of": now - timedelta(hours=2)}})
    store.database["runs"].update_one({}, {"$set": {"queued_at": now - timedelta(minutes=5)}})
    assert samples(client, "syncworker_jobs") == {("true",): 1, ("false",): 0}
    assert samples(client, "syncworker_job_data_timestamp_seconds") == {
        ("orders",): (now - timedelta(hours=2)).timestamp()
    }
    assert samples(client, "syncworker_queue_age_seconds")[()] >= 300
    client.post("/api/jobs/orders/disable")
    assert samples(client, "syncworker_jobs") == {("true",): 0, ("false",): 1}
    assert samples(client, "syncworker_job_data_timestamp_seconds") == {}


def test_the_database_is_timed(client: TestClient, job: dict[str, Any]) -> None:
    before = samples(client, "syncworker_store_command_duration_seconds_count").get(("find",), 0)
    client.get("/api/jobs")
    assert samples(client, "syncworker_store_command_duration_seconds_count")[("find",)] > before


def value(counters: Counters, name: str, **labels: str) -> float:
    return counters.registry.get_sample_value(name, labels) or 0.0


def test_an_attempt_counts_what_it_moved_itself() -> None:
    counters = Counters()
    tally = Tally("orders", {"a": {"read": 50, "written": 50, "deleted": 0, "bytes": 500}}, counters)
    tally.moved({"a": {"read": 60, "written": 58, "deleted": 1, "bytes": 600}})
    tally.moved({"a": {"read": 60, "written": 58, "deleted": 1, "bytes": 600}, "b": {"read": 5, "written": 5}})
    assert value(counters, "syncworker_rows_read_total", job_id="orders") == 15
    assert value(counters, "syncworker_rows_deleted_total", job_id="orders") == 1
    tally.ended({"a": {"read": 7, "written": 7, "bytes": 70}}, "succeeded", 3.0)  # which began anew
    assert value(counters, "syncworker_rows_read_total", job_id="orders") == 22
    assert value(counters, "syncworker_moved_bytes_total", job_id="orders") == 170
    assert value(counters, "syncworker_attempts_total", job_id="orders", outcome="succeeded") == 1
    assert value(counters, "syncworker_attempt_duration_seconds_bucket", outcome="succeeded", le="5.0") == 1


def test_ten_thousand_jobs_are_no_ten_thousand_series() -> None:
    counters = Counters()
    for number in range(10_000):
        counters.count(metrics.ROWS_READ, job_id=f"job-{number}")
    assert value(counters, "syncworker_rows_read_total", job_id="job-0") == 1
    assert value(counters, "syncworker_rows_read_total", job_id=metrics.OTHERS) == 10_000 - metrics.MOST_JOBS
    (family,) = [one for one in counters.registry.collect() if one.name == "syncworker_rows_read"]
    assert len(family.samples) == metrics.MOST_JOBS + 1


def test_a_label_of_a_command_is_one_of_few() -> None:
    assert metrics.command("find") == "find"
    assert metrics.command("anything") == metrics.OTHER_COMMAND


# The alerts and the dashboard.


def expressions() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for question, asked in re.findall(r"^\| ([^|`]+) \| `([^`]+)` \|$", page, flags=re.MULTILINE):
        if "(" in asked:
            yield question, asked


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_every_expression_parses_and_names_metrics_that_are_there(where: str, expression: str) -> None:
    promql_parser.parse(expression)
    named = set(re.findall(r"\b(?:syncworker|process)_\w+", expression))
    assert named, where
    for name in named - FOREIGN:
        metric = BY_NAME.get(name) or BY_NAME.get(re.sub(r"_(bucket|sum|count)$", "", name))
        assert metric, f"{where}: {name} is no metric"
        assert (metric.kind is Kind.HISTOGRAM) == (name not in BY_NAME), name
        for labels in re.findall(rf"{name}{{([^}}]*)}}", expression):
            assert set(re.findall(r"(\w+)=", labels)) <= set(metric.labels), expression


def test_the_alerts_and_the_dashboard_are_complete() -> None:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(names) == len(set(names)) > 5
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) and dashboard["title"] == "syncworker"
    shown = " ".join(expression for _, expression in expressions())
    unseen = [metric.name for metric in METRICS if metric.name not in shown]
    assert unseen == ["syncworker_lease_held_here"], "every metric but that of one process is asked for somewhere"
