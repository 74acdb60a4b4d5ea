"""Running copies of the program, and who led when."""

from __future__ import annotations

from typing import Any

from app.api.operation import Ask
from app.api.wire import Instance, InstanceList, Term, document


def list_(ask: Ask[Any, None]) -> InstanceList:
    """Every instance that was seen lately, and the latest terms of the lease."""
    store = ask.context.store
    return InstanceList(
        items=[Instance.model_validate(document(one)) for one in store.instances.list()],
        terms=[Term.model_validate(document(one)) for one in store.leases.terms()],
        next=None,
    )


def drain(ask: Ask[Any, Any]) -> Instance:
    """Ask an instance to take no more runs and to lead no more; what it works on goes on to its end."""
    return _asked(ask, draining=True)


def undrain(ask: Ask[Any, Any]) -> Instance:
    """Let a drained instance lead and take runs again."""
    return _asked(ask, draining=False)


def _asked(ask: Ask[Any, Any], *, draining: bool) -> Instance:
    ask.note({"draining": not draining}, {"draining": draining})
    return Instance.model_validate(document(ask.context.store.instances.drain(ask.path["id"], draining)))
