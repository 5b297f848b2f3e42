"""Fixtures of the reports' tests."""

from tests.fakes.browser import browser

__all__ = ["browser"]
