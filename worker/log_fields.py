"""Fields that every log line of a context carries: the id of a request, of a run.

A context is a thread's or a coroutine's; a thread that is started by hand begins without any, so hand them over there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import ParamSpec

_fields: ContextVar[Mapping[str, object]] = ContextVar("log_fields", default={})  # noqa: B039  (never changed in place)


P = ParamSpec("P")

_always: dict[str, object] = {}


def bound() -> Mapping[str, object]:
    """The fields of this context, over those of the whole process."""
    return {**_always, **_fields.get()}


def always(**fields: object) -> None:
    """Fields that every line of this process carries from now on."""
    _always.update(fields)


def carried(call: Callable[P, object]) -> Callable[P, None]:
    """`call` for a thread that is started here: it has the fields of this context."""
    context = copy_context()

    def carry(*args: P.args, **kwargs: P.kwargs) -> None:
        context.run(call, *args, **kwargs)

    return carry


@contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Add fields to those of this context, until the end of the block."""
    before = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(before)
