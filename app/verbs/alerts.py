"""`alerts` and `alerts test`: who is told what, how the messages fare, and one of them tried. No server has to run."""

from __future__ import annotations

from app.api.alerts import shapes, tried
from app.api.wire import Alert, AlertList
from app.terminal import print_json, print_table, when
from app.verbs.session import session
from worker.declaration import what_it_tells
from worker.logs import redact

ARRIVED, LOST = 0, 1
_NAMED = 3


def list_(*, as_json: bool) -> int:
    """Every alert: where it leads, what it tells of which jobs, what waits, and what went wrong last."""
    with session() as here:
        saved = here.store.alerts(here.vault).list()
        found = shapes(here.context, saved)
        now = here.store.now()
    if as_json:
        print_json(AlertList(items=found, next=None))
        return ARRIVED
    rows = []
    for record, one in zip(saved, found, strict=True):
        told = what_it_tells(record) if one.enabled else "nothing: disabled"
        waiting = str(one.delivery.waiting or "-")
        if one.delivery.next_try_at is not None:
            waiting += f", next try {when(one.delivery.next_try_at, now)}"
        sent = when(one.delivery.last_sent_at, now)
        rows.append([one.id, one.host or one.url, told, _jobs(one), waiting, sent, one.delivery.last_error or "-"])
    if rows:
        print_table(["ALERT", "TO", "TELLS", "JOBS", "WAITING", "LAST SENT", "LAST ERROR"], rows)
    else:
        print("no alerts; see docs/alerts.md")
    return ARRIVED


def test(alert_id: str, *, as_json: bool) -> int:
    """Send one message that says it is a test, as every message is sent; 0 where it arrived. Raises NotFound."""
    with session() as here:
        alert = here.store.alerts(here.vault).get(alert_id)
        found = tried(alert, here.settings.public_url)
    if as_json:
        print_json(found)
    else:
        print(f"{'arrived' if found.ok else 'did not arrive'} ({found.ms} ms): {redact(found.message)}")
    return ARRIVED if found.ok else LOST


def _jobs(alert: Alert) -> str:
    """The first of them; those that are not there any more are marked."""
    if alert.jobs is None:
        return "all"
    named = [f"{name} (gone)" if name in alert.missing_jobs else name for name in alert.jobs[:_NAMED]]
    return ", ".join(named) + (f" and {len(alert.jobs) - _NAMED} more" if len(alert.jobs) > _NAMED else "")
