"""Runs: history, logs, and what a person asks of one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.responses import Response, StreamingResponse

from app.api.operation import Ask
from app.api.questions import LogQuery, MarksQuery, RunQuery
from app.api.wire import (
    LogLine,
    LogMarks,
    LogOutline,
    LogPage,
    Neighbours,
    Run,
    RunBrief,
    RunList,
    RunMark,
    Wire,
    document,
)
from worker.clock import iso
from worker.errors import BadInput, Fault, NotFound, Unreadable
from worker.store.logs import Sought

log = logging.getLogger(__name__)

T = TypeVar("T")
W = TypeVar("W", bound=Wire)

# Which broken documents the log has named; lists are asked for all the time.
_told: deque[str] = deque(maxlen=1000)


def shape(run: dict[str, Any]) -> Run:
    """A stored run as it goes out. Raises Unreadable where somebody changed its document by hand."""
    return _shaped(Run, run)


def shapes(found: Iterable[dict[str, Any]]) -> list[Run]:
    """Stored runs as they go out; one that cannot be read is left out, and the log names it."""
    return list(_readable(found, shape))


def trace(run: dict[str, Any]) -> dict[str, Any]:
    """What the audit says of a run after a deed."""
    return {"run": run["_id"], "job": run["job_id"], "state": str(run["state"])}


def brief(run: dict[str, Any]) -> RunBrief:
    """A run of `store.figures` as it goes out. Raises Unreadable."""
    return _shaped(RunBrief, run)


def sound(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those runs of `store.figures` that can be read; the log names the others."""
    return list(_readable(found, lambda run: (brief(run), run)[1]))


def _shaped(kind: type[W], run: dict[str, Any]) -> W:
    try:
        return kind.model_validate(document(run))
    except ValidationError as error:
        wrong = ", ".join(dict.fromkeys(str(one["loc"][0]) for one in error.errors() if one["loc"]))
        message = f"run {run['_id']!r} cannot be read, its document was changed by hand: {wrong} cannot be used"
        raise Unreadable(f"{message}; mend it in the database, or leave it to the pruner") from None


def _readable(found: Iterable[dict[str, Any]], made: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    for run in found:
        try:
            yield made(run)
        except Unreadable as error:
            if run["_id"] not in _told:
                _told.append(run["_id"])
                log.warning("%s", error)


def mark(run: dict[str, Any]) -> RunMark:
    """A run of `store.figures` as one of a row."""
    begun, ended = run["started_at"], run["finished_at"]
    seconds = (ended - begun).total_seconds() if begun and ended else None
    at = begun or run["fire_time"] or run["queued_at"]
    return RunMark(id=run["_id"], state=run["state"], at=at, seconds=seconds, written=run["written"])


def list_(ask: Ask[RunQuery, None]) -> RunList:
    """History, newest first. `next` is the run to ask `after` for the page that follows."""
    query = ask.query
    states = [str(state) for state in query.state] if query.state else None
    triggers = [str(trigger) for trigger in query.trigger] if query.trigger else None
    try:
        found = ask.context.store.runs.list(query.job, states, query.since, query.after, query.limit + 1, triggers)
    except NotFound:
        raise BadInput([Fault(field="after", message=f"is {query.after!r}; there is no such run (any more)")]) from None
    page = found[: query.limit]
    return RunList(items=shapes(page), next=page[-1]["_id"] if len(found) > query.limit else None)


def get(ask: Ask[Any, None]) -> Run:
    """One run with its progress and attempts."""
    return shape(ask.context.store.runs.get(ask.path["id"]))


def logs(ask: Ask[LogQuery, None]) -> LogPage:
    """What a run said, from the line after number `after`; `level` leaves out what is less grave."""
    store, query = ask.context.store, ask.query
    store.runs.get(ask.path["id"])
    sought: dict[str, Any] = {"level": query.level, "words": query.q, "attempt": query.attempt}
    found = store.logs.page(ask.path["id"], query.after, query.limit + 1, **sought)
    page = [LogLine.model_validate(line) for line in found[: query.limit]]
    return LogPage(items=page, next=str(page[-1].n) if len(found) > query.limit else None)


def marks(ask: Ask[MarksQuery, None]) -> LogMarks:
    """How many lines are sought, and the numbers of every so many of them: what to ask `logs` for any part of them."""
    store, query = ask.context.store, ask.query
    store.runs.get(ask.path["id"])
    sought = Sought(level=query.level, words=query.q, attempt=query.attempt)
    found = store.logs.marks(ask.path["id"], sought, after=query.after, every=query.every)
    return LogMarks.model_validate(found)


def neighbours(ask: Ask[Any, None]) -> Neighbours:
    """The runs of the same job just before and after this one."""
    store = ask.context.store
    older, newer = store.figures.neighbours(store.runs.get(ask.path["id"]))
    return Neighbours(older=older and brief(older), newer=newer and brief(newer))


def outline(ask: Ask[Any, None]) -> LogOutline:
    """How long a run's log is, how many lines of each level it has, where its first error is, what was not kept."""
    store = ask.context.store
    store.runs.get(ask.path["id"])
    return LogOutline.model_validate(store.logs.outline(ask.path["id"]))


def download(ask: Ask[Any, None]) -> Response:
    """A run's whole log as text, a line each: number, time, level, stream, message."""
    store, run_id = ask.context.store, ask.path["id"]
    job_id = store.runs.get(run_id)["job_id"]
    pages = ("".join(map(_printed, page)) for page in store.logs.lines(run_id))
    name = f'attachment; filename="{job_id}-{run_id[:8]}.log"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return StreamingResponse(pages, headers=headers, media_type="text/plain; charset=utf-8")


def _printed(line: dict[str, Any]) -> str:
    stream = f"{line['stream']}: " if line.get("stream") else ""
    message = line["message"].replace("\n", "\n    ")
    return f"{line['n']}\t{iso(line['at'])}\t{line['level']}\t{stream}{message}\n"


def cancel(ask: Ask[Any, Any]) -> Run:
    """Cancel a queued or held run at once, a running one within 2 s."""
    return _did(ask, ask.context.store.runs.cancel(ask.path["id"], ask.who.name))


def retry(ask: Ask[Any, Any]) -> Run:
    """Queue a new run that goes on from the checkpoints of a failed or cancelled one."""
    run = _did(ask, ask.context.store.runs.retry(ask.path["id"], ask.who.name))
    _nudge(ask)
    return run


def approve(ask: Ask[Any, Any]) -> Run:
    """Let a held run remove what it was held for, once."""
    run = _did(ask, ask.context.store.runs.approve(ask.path["id"], ask.who.name))
    _nudge(ask)
    return run


def discard(ask: Ask[Any, Any]) -> Run:
    """End a held run; nothing is removed."""
    return _did(ask, ask.context.store.runs.discard(ask.path["id"], ask.who.name))


def _did(ask: Ask[Any, Any], run: dict[str, Any]) -> Run:
    ask.note(after=trace(run))
    return shape(run)


def _nudge(ask: Ask[Any, Any]) -> None:
    if ask.context.worker is not None:
        ask.context.worker.nudge()
