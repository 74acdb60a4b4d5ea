"""How the tests are shared out among the workers of pytest-xdist: one browser at a time, slow tests before small ones.

A plugin for `--dist loadscope`; without workers it only puts the tests in their order. Two browsers at once would take
both cores from the programs that they look at.
Source: docs/decisions/0020-xdist-for-the-tests.md.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import pytest

BROWSER = "tests/browser/"
# Each test of these starts processes and waits for them: shared out one by one.
SLOW = ("tests/journeys/", "tests/machines/")


def unit(nodeid: str) -> str:
    """What is given to a worker at once: all browsers' tests, one slow test, or one file."""
    if nodeid.startswith(BROWSER):
        return BROWSER
    return nodeid if nodeid.startswith(SLOW) else nodeid.partition("::")[0]


def ordered(ids: list[str]) -> list[str]:
    """The units in the order in which workers take them: the browser's, then slow tests and files by turns."""
    units: dict[str, int] = {}
    for nodeid in ids:
        units[unit(nodeid)] = units.get(unit(nodeid), 0) + 1
    slow = [one for one in units if one.startswith(SLOW)]
    files = sorted((one for one in units if one != BROWSER and one not in slow), key=lambda one: -units[one])
    turns = [one for pair in zip_longest(slow, files) for one in pair if one is not None]
    return [BROWSER, *turns] if BROWSER in units else turns


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {one: at for at, one in enumerate(ordered([item.nodeid for item in items]))}
    items.sort(key=lambda item: rank[unit(item.nodeid)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Callable[..., None]) -> Any:
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Units(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
        """Gives out units in the order of the collection."""

        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    config.option.loadscopereorder = False
    return Units(config, log)
