"""Alerts, what becomes of their messages, and what was told."""

from __future__ import annotations

from typing import Literal

from app.api.moment import Moment
from app.api.wire.shape import Wire
from worker.alert import Format, Kind

AlertKind = Literal[Kind.FAILING, Kind.RECOVERED, Kind.HELD, Kind.STALE, Kind.FRESH]


class Delivery(Wire):
    """How the messages of an alert fare: `waiting` and `given_up` count what is to be told, and what never was.

    `last_error` null: the last message arrived, or none was sent yet. `next_try_at`: where one is waited for.
    """

    waiting: int
    given_up: int
    last_sent_at: Moment | None
    last_error: str | None
    last_error_at: Moment | None
    next_try_at: Moment | None


class Alert(Wire):
    """`url` and `secret` are asterisks, or the references that they are made of; `host` is where they go, if known.

    `jobs` null: all; `missing_jobs` are those named that are not there any more. `failures` null: never told; `stale`
    is a duration as "2h", null: never.
    """

    id: str
    url: str
    host: str | None
    format: Format
    secret: str | None
    jobs: list[str] | None
    missing_jobs: list[str]
    failures: int | None
    recovery: bool
    held: bool
    stale: str | None
    enabled: bool
    owner: str | None
    created_at: Moment
    updated_at: Moment
    revision: int
    delivery: Delivery


class AlertList(Wire):
    items: list[Alert]
    next: str | None


class AlertTest(Wire):
    """What came of one message: `status` is what the receiver answered, null where it did not."""

    ok: bool
    ms: int
    status: int | None
    message: str


class AlertEvent(Wire):
    """One thing that was, or is to be, told; `state` is waiting, sent or given_up, and `note` says why it is."""

    id: str
    alert: str
    job_id: str
    kind: AlertKind
    run_id: str | None
    at: Moment
    text: str
    state: Literal["waiting", "sent", "given_up"]
    sent_at: Moment | None
    tries: int
    note: str | None


class AlertEventPage(Wire):
    """Newest first; `next` is what to ask `after` for the ones before."""

    items: list[AlertEvent]
    next: str | None
