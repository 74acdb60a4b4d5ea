"""What a drill tells: lines with the time while it goes on, then the findings; for programs one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from app.drill.course import Blow
from app.drill.findings import Finding
from app.terminal import BAD, DIM, GOOD, painted
from worker import clock
from worker.logs import redact

# Of one promise that broke many times over, the first few tell the story.
MOST_TOLD = 5


class Report:
    """Prints on `out`; colours where that is a terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def say(self, text: str) -> None:
        """A line of what happens now, in UTC, as in the log."""
        moment = painted(f"{clock.wall():%H:%M:%S}", DIM, self._out)
        print(f"{moment} {redact(text)}", file=self._out, flush=True)

    def findings(self, found: Sequence[Finding], seconds: float) -> None:
        print(file=self._out)
        for finding in found:
            self._finding(finding)
        print(f"\n{self._verdict(found)} ({seconds:.0f} s)", file=self._out, flush=True)

    def _finding(self, finding: Finding) -> None:
        word, colour = {True: ("held", GOOD), False: ("BROKEN", BAD), None: ("not tried", DIM)}[finding.held]
        print(f"{painted(f'{word:<9}', colour, self._out)}  {finding.promise:<13}  {finding.found}", file=self._out)
        for wrong in finding.broken[:MOST_TOLD]:
            print(f"{'':<11}! {redact(wrong)}", file=self._out)
        if len(finding.broken) > MOST_TOLD:
            print(f"{'':<11}! and {len(finding.broken) - MOST_TOLD:,} more", file=self._out)

    def _verdict(self, found: Sequence[Finding]) -> str:
        broken = [finding.promise for finding in found if finding.held is False]
        untried = [finding.promise for finding in found if finding.held is None]
        if broken:
            return painted(f"broken: {', '.join(broken)}", BAD, self._out)
        if untried:
            return painted(f"all promises held that were tried; not tried: {', '.join(untried)}", GOOD, self._out)
        return painted("all promises held", GOOD, self._out)


def document(database: str, blows: Sequence[Blow], found: Sequence[Finding], seconds: float) -> dict[str, Any]:
    """The same for a program."""
    return {
        "ok": ok(found),
        "database": database,
        "seconds": round(seconds, 1),
        "blows": [
            {"kind": str(blow.kind), "at": blow.at, "pid": blow.pid, "instance": blow.instance, "token": blow.token}
            for blow in blows
        ],
        "promises": [
            {"promise": one.promise, "held": one.held, "found": one.found, **one.numbers, "broken": list(one.broken)}
            for one in found
        ],
    }


def ok(found: Sequence[Finding]) -> bool:
    """Whether no promise was found broken."""
    return all(finding.held is not False for finding in found)
