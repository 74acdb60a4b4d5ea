"""Fixtures of the connectors' tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def mongo_database(own_database: str) -> str:
    """A database of this test's own: what is written and read here is not the store's."""
    return own_database
