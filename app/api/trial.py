"""Try a connection: its references filled, its ends tried stage by stage, and what was found in the shape of an answer.

The stages are the connector's (`worker.connectors.trial`). A connection serves the jobs that use it: it is tried for
what they need it for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from app.api.wire import ConnectionTest, TriedStep
from worker import declaration
from worker.connection import Connection
from worker.connectors import trial
from worker.connectors.trial import PATIENCE, End, Trial
from worker.errors import BadInput, Permanent
from worker.job import Job
from worker.logs import redact


def tried(connection: Connection, needs: frozenset[End] = frozenset(), *, patience: float = PATIENCE) -> ConnectionTest:
    """Never raises for what is wrong with the connection: that is the answer."""
    try:
        ready = declaration.resolve(connection, os.environ)
    except BadInput as error:
        return _shape(Trial(message=str(error), hint="Set it where the program runs."))
    except Permanent as error:  # sealed under a key that is gone
        found = Trial(message=str(error), hint="Enter the secret again.")
        found.step = trial.Step.LOGIN
        return _shape(found)
    return _shape(trial.tried(ready.type, ready.settings, needs=needs, patience=patience))


def needed(connection_id: str, jobs: Iterable[Job]) -> frozenset[End]:
    """The ends for which these jobs use the connection."""
    found: set[End] = set()
    for job in jobs:
        found |= {"source"} if job.source == connection_id else set()
        found |= {"destination"} if job.destination == connection_id else set()
    return frozenset(found)


def _shape(found: Trial) -> ConnectionTest:
    return ConnectionTest(
        ok=found.ok,
        ms=found.ms,
        step=found.step,
        message=redact(found.message),
        hint=found.hint,
        reads=found.reads,
        writes=found.writes,
        steps=[TriedStep(step=one.step, ms=one.ms, ok=one.ok, end=one.end) for one in found.steps],
    )
