"""Every type of every connector to every other and back: each cell of `docs/types.md` is run."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests.worker.connectors.matrix import KINDS, TITLES, examples_of, measured, places
from worker.sync import type_page


def page_cells(kind: str) -> dict[str, list[str]]:
    """A source's table on the page, by destination."""
    start = type_page.cells().index(f"| {TITLES[kind]} | value |")
    lines = type_page.cells()[start:].split("\n\n")[0].splitlines()[2:]
    rows = [line.replace("\\|", "\0").strip("| ").split(" | ") for line in lines]
    return {other: [row[place].replace("\0", "\\|") for row in rows] for place, other in enumerate(KINDS, start=2)}


@pytest.mark.parametrize(("one", "other"), list(product(KINDS, KINDS)))
def test_every_type_is_there_as_the_page_says(
    one: str, other: str, postgres_url: str, mongo_url: str, tmp_path: Path
) -> None:
    with places(postgres_url, mongo_url, tmp_path / f"{one}-{other}") as place:
        place["one", one].fill(examples_of(one))
        cells = measured(place["one", one], place["other", other])
    assert page_cells(one)[other] == list(cells.values())
