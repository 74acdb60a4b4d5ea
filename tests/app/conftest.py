"""Fixtures of the app's tests."""

from tests.app.command_line import folder, offline, run

__all__ = ["folder", "offline", "run"]
