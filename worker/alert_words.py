"""What messages say, in plain words, and where their links lead. Pure: it reads and sends nothing.

Whatever comes from a run is without secrets that we know, on one line, and cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from worker.alert import Kind
from worker.duration import format_duration
from worker.redaction import shortened

MOST_REASON = 300
# What a chat takes in one message: Discord's, the least of those that take this form.
MOST_TEXT = 1_900


@dataclass(frozen=True, kw_only=True)
class Links:
    """Into the dashboard at `base`; None: nobody said where that is, so there are none."""

    base: str | None

    def job(self, job_id: str) -> str | None:
        return self.base and f"{self.base}/jobs/{quote(job_id, safe='')}"

    def run(self, run_id: str | None) -> str | None:
        return self.base and run_id and f"{self.base}/runs/{quote(run_id, safe='')}"


def failing(job_id: str, failures: int, since: datetime | None, error: Mapping[str, Any] | None) -> str:
    why = f": {error['message']}" if error and error["message"] else ""
    if failures == 1:
        return f"{job_id} failed{why}"
    first = f", first at {moment(since)}" if since else ""
    return f"{job_id} failed {failures:,} times in a row{first}{why}"


def recovered(job_id: str, failures: int) -> str:
    return f"{job_id} is in step again after {'1 failure' if failures == 1 else f'{failures:,} failures'}"


def held(job_id: str, reason: object) -> str:
    why = one_line(reason) or "it would remove more rows than its guard allows"
    return f"{job_id} is held: {why}" + ("" if "approve" in why else "; approve or discard it")


def stale(job_id: str, as_of: datetime, age: timedelta) -> str:
    return f"{job_id} has had no newer data since {moment(as_of)} ({long(age)})"


def fresh(job_id: str) -> str:
    return f"{job_id} has fresh data again"


def error_of(run: Mapping[str, Any]) -> dict[str, str | None] | None:
    """{type, message, stream} of a run that failed, fit to be sent; None where it has none that can be read."""
    error = run.get("error")
    if not isinstance(error, Mapping):
        return None
    stream = error.get("stream")
    return {
        "type": one_line(error.get("type"), 100),
        "message": one_line(error.get("message")),
        "stream": None if stream is None else one_line(stream, 200),
    }


def one_line(value: object, most: int = MOST_REASON) -> str:
    """`value` as text without secrets, line ends and what a terminal would obey; cut at so many characters."""
    clean = shortened(str(value or ""), 10 * most)
    words = " ".join("".join(c if c.isprintable() else " " for c in clean).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def moment(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def long(passed: timedelta) -> str:
    """About how long, in its two largest units: `2 h 4 min`."""
    minutes = max(0, int(passed.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else format_duration(float(int(passed.total_seconds())))


def summary(lines: Sequence[str]) -> str:
    """As many of the lines as one message holds, and how many more there are."""
    shown: list[str] = []
    left = MOST_TEXT
    for line in lines:
        left -= len(line) + 1
        if shown and left < 0:
            break
        shown.append(line)
    hidden = len(lines) - len(shown)
    return "\n".join([*shown, *([f"… and {hidden:,} more"] if hidden else [])])


def chat(event: Mapping[str, Any], links: Links) -> str:
    """One line of a chat: the words, their link behind them, nothing in it that a chat takes for a command."""
    run, job = links.run(event.get("run_id")), links.job(str(event.get("job_id")))
    link = f" <{run}|run>" if run else f" <{job}|job>" if job else ""
    return escaped(str(event.get("text") or "")) + link


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def told(event: Mapping[str, Any], links: Links) -> dict[str, Any]:
    """One of `events` in a JSON message, its moments still moments."""
    kind, job_id, run_id = str(event.get("kind")), str(event.get("job_id")), event.get("run_id")
    return {
        "kind": kind if kind in set(Kind) else "unknown",
        "text": str(event.get("text") or ""),
        "job": job_id,
        "job_link": links.job(job_id),
        "run": run_id,
        "run_link": links.run(run_id),
        "failures": event.get("failures"),
        "since": event.get("since"),
        "at": event.get("at"),
        "error": event.get("error"),
    }
