"""`status`, `jobs`, `runs` and `logs`: what the API shows, as tables or as the API's JSON."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from typing import Any

from app import terminal
from app.api import health
from app.api import jobs as job_shapes
from app.api import runs as run_shapes
from app.api.wire import LogLine
from app.terminal import print_json, print_table, when
from app.verbs.following import moment
from app.verbs.session import session
from worker import schedule
from worker.clock import iso
from worker.duration import parse_duration
from worker.errors import BadInput
from worker.logs import redact
from worker.run import ACTIVE, RunState
from worker.store import Store

LOOK = 0.5
PAGE = 500


def status(*, as_json: bool) -> int:
    """Who leads, what runs and what is next."""
    with session() as here:
        told = health.status_of(here.context)
        if as_json:
            print_json(told)
            return 0
        now = here.store.now()
        instances = [one for one in here.store.instances.list() if one["live"]]
        led = bool(told.lease and told.lease.live and told.lease.holder)
        print(f"syncworker {told.version}; {len(instances)} live instance{'s' if len(instances) != 1 else ''}")
        print(f"leads: {_leader(told.lease, instances) if led else 'nobody; no fire time becomes a run'}")
        print("runs: " + ", ".join(f"{count} {state}" for state, count in told.queue.items()))
        for run in told.running:
            print(f"  {run.job_id}: {run.id}, started {when(run.started_at, now)}")
        if told.warnings:
            print("warnings:")
        for warning in told.warnings:
            print(redact(f"  {warning.message}"))
        if told.next_fire_times:
            print("next:")
        for one in told.next_fire_times:
            print(f"  {one.job_id}: {when(one.fire_time, now)}")
    return 0


def jobs(*, as_json: bool) -> int:
    """Every job with its schedule, its last run and its next fire time."""
    with session() as here:
        found = here.store.jobs.list(limit=0)
        if as_json:
            shapes = job_shapes.shapes(here.store, found, here.store.now())
            print_json({"items": shapes, "next": None})
            return 0
        now = here.store.now()
        latest = here.store.figures.latest([job.id for job in found])
    rows = []
    for job in found:
        last = latest.get(job.id)
        due = when(job.next_fire_time, now) if job.enabled else "disabled"
        words = schedule.in_words(job.schedule)
        ran = f"{last['state']} {terminal.distance(last['finished_at'] or last['queued_at'], now)}" if last else "-"
        rows.append([job.id, f"{job.source} -> {job.destination}", words, ran, due])
    headings = ["JOB", "FROM -> TO", "SCHEDULE", "LAST RUN", "NEXT FIRE TIME"]
    _print_list(headings, rows, "no jobs yet; see `syncworker apply`")
    return 0


def runs(
    job: str | None,
    states: list[str] | None,
    triggers: list[str] | None,
    since: str | None,
    *,
    count: int,
    as_json: bool,
) -> int:
    """History, newest first."""
    with session() as here:
        if job is not None:
            here.store.jobs.get(job)
        begin = None if since is None else _since(since, here.store)
        found = here.store.runs.list(job, states, begin, None, count, triggers)
        now = here.store.now()
    if as_json:
        print_json({"items": [run_shapes.shape(run) for run in found], "next": None})
        return 0
    rows = [[run["_id"], run["job_id"], _state(run), run["trigger"], *_times(run, now), _told(run)] for run in found]
    _print_list(["RUN", "JOB", "STATE", "TRIGGER", "BEGAN", "TOOK", "WRITTEN"], rows, "no runs")
    return 0


def logs(run_id: str, *, level: str | None, follow: bool, as_json: bool) -> int:
    """What a run said, a line each; with `follow` until the run ends."""
    with session() as here:
        here.store.runs.get(run_id)
        after = 0
        while True:
            ended = not follow or RunState(here.store.runs.get(run_id)["state"]) not in ACTIVE
            page = here.store.logs.page(run_id, after, PAGE, level)
            for line in page:
                _print_line(line, as_json=as_json)
                after = line["n"]
            if ended and len(page) < PAGE:
                return 0
            if len(page) < PAGE:
                threading.Event().wait(LOOK)


def _print_line(line: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        shape = LogLine.model_validate(line)
        print(json.dumps(shape.model_dump(mode="json"), ensure_ascii=False), flush=True)
        return
    stream = f" {line['stream']}:" if line.get("stream") else ""
    print(redact(f"{iso(line['at'])} {line['level']:<7}{stream} {line['message']}"), flush=True)


def _print_list(headings: list[str], rows: list[list[str]], nothing: str) -> None:
    if rows:
        print_table(headings, rows)
    else:
        print(nothing)


def _leader(lease: Any, instances: list[dict[str, Any]]) -> str:
    for one in instances:
        if one["_id"] == lease.instance:
            return f"{one['host']}, pid {one['pid']} ({one['mode']}), term {lease.token}"
    return f"instance {lease.instance}, term {lease.token}"


def _since(text: str, store: Store) -> datetime:
    try:
        return store.now() - timedelta(seconds=parse_duration(text))
    except (ValueError, BadInput):
        return moment(text)


def _state(run: dict[str, Any]) -> str:
    count = run.get("missed_count")
    return f"{run['state']} x{count}" if count else str(run["state"])


def _times(run: dict[str, Any], now: datetime) -> tuple[str, str]:
    began = run["started_at"] or run["queued_at"]
    ended = run["finished_at"] or now
    took = f"{(ended - began).total_seconds():.1f} s" if run["started_at"] else "-"
    return when(began, now), took


def _told(run: dict[str, Any]) -> str:
    written = sum(one["written"] for one in run["progress"].values())
    told = (run["error"] or {}).get("message") or run["reason"] or ""
    rows = f"{written:,} rows" if run["progress"] else "-"
    return f"{rows}; {told.splitlines()[0]}" if told else rows
