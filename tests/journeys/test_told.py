"""What the program tells of its runs while it works: JSON lines and metrics, seen from outside."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.journeys import misbehaving
from tests.journeys.test_bad_jobs import Stage, stage  # noqa: F401
from tests.waiting import until

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_lines_of_a_run_carry_its_fields_and_its_end_is_counted(stage: Stage, isolation: str) -> None:  # noqa: F811
    stage.job("odd", stream="is_odd", attempts=2)
    stage.job("fine", stream="items")
    program = stage.program(RUN_ISOLATION=isolation, PYTHONPATH=misbehaving.python_path(stage.folder))
    runs = {job_id: stage.run(job_id) for job_id in ("odd", "fine")}
    for run_id in runs.values():
        stage.ended(run_id)

    def said() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in program.output.splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("run") == runs["odd"] and line.get("traceback")]

    lines = until(lambda: said() if len(said()) >= 2 else None, "both attempts said what went wrong")
    assert {line["job"] for line in lines} == {"odd"} and {line["attempt"] for line in lines} == {1, 2}
    assert {line["process"] for line in lines} == {"run" if isolation == "process" else "syncworker"}
    (instance,) = {line["instance"] for line in lines}
    assert stage.store.database["instances"].count_documents({"_id": instance}) == 1
    assert all(line["at"].endswith("Z") and line["level"] == "error" and line["logger"] for line in lines)

    def counted(name: str, **labels: str) -> float:
        text = httpx.get(f"{program.url}/metrics").text
        found = [s for family in text_string_to_metric_families(text) for s in family.samples if s.name == name]
        return sum(one.value for one in found if labels.items() <= one.labels.items())

    attempts = "syncworker_attempts_total"
    until(lambda: counted(attempts, job_id="odd", outcome="failed") == 1, "the failure was counted")
    assert counted(attempts, job_id="odd", outcome="retried") == 1
    until(lambda: counted(attempts, job_id="fine", outcome="succeeded") == 1, "the success was counted")
    assert counted("syncworker_rows_written_total", job_id="fine") == 50
    assert counted("syncworker_rows_read_total", job_id="fine") == 50
    assert counted("syncworker_attempt_duration_seconds_count", outcome="succeeded") == 1
    assert counted("syncworker_job_data_timestamp_seconds", job_id="fine") > 0
    assert counted("syncworker_start_delay_seconds_count") == 2


def test_a_worker_alone_tells_its_own_figures(stage: Stage, free_port: int) -> None:  # noqa: F811
    stage.job("fine", stream="items")
    program = stage.program("-m", "worker", ready=False, WORKER_HEALTH_PORT=str(free_port))
    stage.ended(stage.run("fine"))

    def text() -> str:
        return httpx.get(f"http://127.0.0.1:{free_port}/metrics").text

    done = 'syncworker_attempts_total{job_id="fine",outcome="succeeded"} 1.0'
    until(lambda: done in text(), "the run was counted")
    assert "process_resident_memory_bytes" in text() and program.terminate() == 0
