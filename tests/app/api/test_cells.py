"""Values as a preview shows them: exact where they are shown, and cut where they are too much."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.api import cells
from app.api.cells import cell, fitting


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (2**53, 2**53),
        (2**53 + 1, str(2**53 + 1)),
        (float("nan"), "nan"),
        (Decimal("1.10"), "1.10"),
        (b"\xff\x00", "/wA="),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00Z"),
        ({1: [b"\x00", 2**60]}, {"1": ["AA==", str(2**60)]}),
        ("half \ud800", "half ?"),
    ],
)
def test_nothing_is_rounded(value: Any, shown: Any) -> None:
    assert cell(value) == shown


def test_what_is_too_long_is_cut_and_says_so() -> None:
    assert cell("x" * 5_000) == "x" * (cells.LONGEST - 1) + "…"
    assert len(cell(b"x" * 10_000_000)) == cells.LONGEST
    assert len(cell(10**5_000)) == cells.LONGEST, "beyond what Python writes in decimal"
    many = cell(list(range(1_000)))
    assert len(many) == cells.MOST_PARTS + 1 and many[-1] == "… 900 more"
    wide = cell({str(number): number for number in range(1_000)})
    assert len(wide) == cells.MOST_PARTS + 1 and wide["…"] == "900 more"
    deep: Any = 1
    for _ in range(10_000):
        deep = [deep]
    shown = cell(deep)
    for _ in range(cells.MOST_DEPTH):
        (shown,) = shown
    assert shown == "…"


def test_a_sample_is_no_more_than_can_be_shown_together() -> None:
    row = {f"column {number}": "x" * cells.LONGEST for number in range(100)}
    assert len(fitting([row] * 100)) == 4
    assert len(fitting([{f"column {n}": "x" * cells.LONGEST for n in range(1_000)}])) == 1, "one is always shown"
