"""One root for every error, in families that decide what happens next.

Transient: try again later. Permanent: trying again cannot help. Skippable: one record, not the stream.
Stopped: someone asked us to end. LostClaim: another instance owns this run now; write no more.
It decides no HTTP status: `app.api.problems` maps the families.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SyncworkerError(Exception):
    """Root of all errors raised on purpose. The message says what happened, with the value, then what to do."""


class Transient(SyncworkerError):
    """May heal by itself; the run is retried after a delay."""


class Permanent(SyncworkerError):
    """Trying again cannot help until a person changes something; the run fails at once."""


class Skippable(SyncworkerError):
    """Concerns one record; the stream may go on without it where its policy allows."""


class Stopped(SyncworkerError):
    """This process was asked to stop: the attempt is handed back with its checkpoint."""


class Cancelled(SyncworkerError):
    """A person cancelled the run."""


class Held(SyncworkerError):
    """A guard stopped the write before it removed rows; a person approves or discards."""

    def __init__(self, message: str, *, removes: int) -> None:
        super().__init__(message)
        self.removes = removes


class TimedOut(Transient):
    """The run used up its job's timeout."""


class ProcessDied(Transient):
    """The process that worked on a run ended without recording how."""


class LostClaim(SyncworkerError):
    """Another instance holds this run, or its claim could not be proved: write nothing more."""


class StoreUnavailable(Transient):
    """MongoDB did not answer in time."""


class SourceUnavailable(Transient):
    """The source did not answer, or broke off."""


class DestinationUnavailable(Transient):
    """The destination did not answer, or broke off."""


class BadValue(Permanent):
    """A value that the destination cannot hold. Names column, row and value; nothing is rounded or cut."""

    def __init__(self, message: str, *, column: str = "", row: int | None = None) -> None:
        super().__init__(message)
        self.column = column
        self.row = row


class BadData(Permanent):
    """The source's content is not what its format says (a ragged CSV row, a broken JSON line)."""


class Differs(Permanent):
    """A verification found rows that are not the same on both sides."""


class StreamNotFound(Permanent):
    """The source has no stream of that name."""


class Unsupported(Permanent):
    """A combination that this connector does not offer (a write mode, a setting)."""


class MissingExtra(Permanent):
    """A library that this connector needs is not installed."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One mistake in what a person gave us: where, and what is allowed. Never holds a secret's value."""

    field: str
    message: str
    line: int | None = None
    column: int | None = None


class BadInput(Permanent):
    """Input that cannot be used, all its faults at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{f.field}: {f.message}" if f.field else f.message for f in faults))
        self.faults = list(faults)


class BadConfiguration(BadInput):
    """Environment variables that stop the start: exit code 2."""


class NotFound(Permanent):
    """No document of that id."""


class Unreadable(Permanent):
    """A stored document is not what the program wrote: somebody edited it by hand."""


class Conflict(Permanent):
    """The document changed meanwhile, or its state does not allow this."""


class StaleRevision(Conflict):
    """The revision given is not the current one."""

    def __init__(self, message: str, *, current: int) -> None:
        super().__init__(message)
        self.current = current


class JobActive(Conflict):
    """The job already has a queued or running run."""

    def __init__(self, job_id: str, run_id: str | None = None) -> None:
        where = f" (run {run_id})" if run_id else ""
        super().__init__(f"job {job_id} already has a queued or running run{where}; wait for it or cancel it")
        self.job_id = job_id
        self.run_id = run_id
