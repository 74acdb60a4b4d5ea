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
