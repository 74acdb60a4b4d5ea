"""Runs: history, logs, and what a person asks of one."""

from __future__ import annotations

from typing import Any

from app.api.operation import Ask
from app.api.questions import LogQuery, RunQuery
from app.api.wire import LogLine, LogPage, Run, RunList, document
from worker.errors import BadInput, Fault, NotFound


def shape(run: dict[str, Any]) -> Run:
    """A stored run as it goes out."""
    return Run.model_validate(document(run))


def list_(ask: Ask[RunQuery, None]) -> RunList:
    """History, newest first. `next` is the run to ask `after` for the page that follows."""
    query = ask.query
    states = [str(state) for state in query.state] if query.state else None
    try:
        found = ask.context.store.runs.list(query.job, states, query.since, query.after, query.limit + 1)
    except NotFound:
        raise BadInput([Fault(field="after", message=f"is {query.after!r}; there is no such run (any more)")]) from None
    page = [shape(run) for run in found[: query.limit]]
    return RunList(items=page, next=page[-1].id if len(found) > query.limit else None)


def get(ask: Ask[Any, None]) -> Run:
    """One run with its progress and attempts."""
    return shape(ask.context.store.runs.get(ask.path["id"]))


def logs(ask: Ask[LogQuery, None]) -> LogPage:
    """What a run said, from the line after number `after`; `level` leaves out what is less grave."""
    store, query = ask.context.store, ask.query
    store.runs.get(ask.path["id"])
    found = store.logs.page(ask.path["id"], query.after, query.limit + 1, query.level)
    page = [LogLine.model_validate(line) for line in found[: query.limit]]
    return LogPage(items=page, next=str(page[-1].n) if len(found) > query.limit else None)


def cancel(ask: Ask[Any, Any]) -> Run:
    """Cancel a queued or held run at once, a running one within 2 s."""
    return shape(ask.context.store.runs.cancel(ask.path["id"], ask.who))


def retry(ask: Ask[Any, Any]) -> Run:
    """Queue a new run that goes on from the checkpoints of a failed or cancelled one."""
    run = shape(ask.context.store.runs.retry(ask.path["id"], ask.who))
    _nudge(ask)
    return run


def approve(ask: Ask[Any, Any]) -> Run:
    """Let a held run remove what it was held for, once."""
    run = shape(ask.context.store.runs.approve(ask.path["id"], ask.who))
    _nudge(ask)
    return run


def discard(ask: Ask[Any, Any]) -> Run:
    """End a held run; nothing is removed."""
    return shape(ask.context.store.runs.discard(ask.path["id"], ask.who))


def _nudge(ask: Ask[Any, Any]) -> None:
    if ask.context.worker is not None:
        ask.context.worker.nudge()
