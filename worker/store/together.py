"""Several writes as one: wholly or not at all, and nobody sees a part of them.

It needs transactions, which a standalone server has not: there the writes are made one after another, and what dies in
between leaves a part. Source: docs/decisions/0029-an-apply-is-one-transaction.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pymongo import WriteConcern
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from worker.store.client import Document

T = TypeVar("T")


def together(database: Database[Document], work: Callable[[Database[Document]], T]) -> T:
    """Call `work` with a view of the database, through which its writes in this thread become one.

    It may be called again after a conflict, and what it raises undoes all. It must not ask for the server's time:
    commands have no place in a transaction. The view has no write concern of its own: the transaction has it.
    """
    view = database.with_options(write_concern=WriteConcern(), read_concern=ReadConcern())

    def bound(session: Any) -> T:
        with session.bind(end_session=False):
            return work(view)

    with database.client.start_session() as session:
        return session.with_transaction(
            bound, read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", j=True)
        )
