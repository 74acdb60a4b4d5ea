"""Everything that the description promises, asked of a real server by schemathesis: every check, every phase, stateful.

It makes requests out of the description alone, right ones and wrong ones, and follows the links between answers. The
server is hypercorn on a real database, the only connector a shelf in memory. See docs/decisions/0028-schemathesis.md.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from app.api.openapi import describe
from app.routes import ROUTES
from tests.app.api.conftest import TOKEN

# Of each operation and kind of data; the coverage phase adds some thirty cases each of its own.
EXAMPLES = 5
REFUSED = ["400", "401", "403", "404", "405", "409", "412", "415", "422", "428", "429", "503"]
CONFIG: dict[str, Any] = {
    "headers": {"Authorization": f"Bearer {TOKEN}"},
    "continue-on-failure": True,
    "request-timeout": 30,
    "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none", "no-shrink": True},
    "checks": {
        # What a job, a connection or an alert may say is the parser's to decide, and JSON has numbers that no
        # database holds.
        "positive_data_acceptance": {"expected-statuses": ["2xx", *REFUSED, "502"]},
        "negative_data_rejection": {"expected-statuses": REFUSED},
        "missing_required_header": {"expected-statuses": ["400", "401", "403", "415", "422", "428"]},
    },
    "operations": [
        {"include-path": "/api/events", "enabled": False},  # it does not end; tests/app/api/test_live.py
        *(
            {  # where POST alone is its own: all other methods are those of one named `test`
                "include-path": path,
                "checks": {"unsupported_method": {"enabled": False}, "allow_header_conformance": {"enabled": False}},
            }
            for path in ("/api/connections/test", "/api/alerts/test")
        ),
    ],
}


def narrowed() -> dict[str, Any]:
    """The description, with jobs that can be made here: from the shelf to the shelf; and alerts that tell nobody."""
    document = describe(ROUTES)
    alert = document["components"]["schemas"]["NewAlert"]
    alert["properties"] |= {"url": {"const": "http://127.0.0.1:9/nobody"}, "jobs": {"const": None}}
    alert["additionalProperties"] = False
    fields = document["components"]["schemas"]["NewJob"]["properties"]
    fields |= {end: {"const": "attic"} for end in ("source", "destination")}
    fields["streams"] = {"const": [{"name": "main/books"}]}
    fields["schedule"] = {"enum": [None, {"every": "1h"}, {"cron": "*/5 * * * *"}]}
    fields |= {"timeout": {"enum": [None, "1h"]}, "retry": {"const": {"attempts": 2}}, "guards": {"const": False}}
    document["components"]["schemas"]["NewJob"]["additionalProperties"] = False
    return document


@pytest.mark.timeout(600)
def test_the_server_does_what_its_description_says(served: str) -> None:
    config = SchemathesisConfig.from_dict(CONFIG)
    config.projects.default.update(base_url=served)
    schema = schemathesis.openapi.from_dict(narrowed(), config=config)
    wrong: dict[tuple[str, str], str] = {}
    asked: Counter[str] = Counter()
    called: set[str] = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.NonFatalError):
            wrong[event.label, "error"] = str(event.value)
        if isinstance(event, events.ScenarioFinished):
            asked[event.phase.value] += len(event.recorder.cases)
            called |= {case.value.operation.label for case in event.recorder.cases.values()}
            for checks in event.recorder.checks.values():
                for check in checks:
                    if check.failure_info:
                        failure = check.failure_info.failure
                        words = f"{failure.message}\n{check.failure_info.code_sample}"
                        wrong.setdefault((str(failure.operation), check.name), words)
    told = "\n\n".join(f"{operation} ({check}):\n{words[:2000]}" for (operation, check), words in wrong.items())
    assert not wrong, told
    assert called == {f"{one.method} {one.path.replace(':path', '')}" for one in ROUTES} - {"GET /api/events"}
    assert asked["coverage"] > 1000 and asked["fuzzing"] > 100 and asked["stateful"] > 20, asked
