"""What is not as it was: what happened to models tonight, and what differs between both sides of comparisons."""

from collections.abc import Sequence
from typing import NamedTuple

from tasks.reports.cells import CellView
from tasks.reports.page import ReportPage


class Change(NamedTuple):
    """One thing that changed, in words, and the cells that it touches."""

    text: str
    cells: tuple[CellView, ...] = ()


def changes(page: ReportPage, views: Sequence[CellView]) -> list[Change]:
    """Tonight's events, then every difference once, those that touch most cells first."""
    told = [Change(event.text) for event in page.events if event.run_id == page.run.run_id]
    touched: dict[str, list[CellView]] = {}
    for view in views:
        for difference in view.comparison.differences if view.comparison else ():
            touched.setdefault(difference, []).append(view)
    differences = [Change(text, tuple(cells)) for text, cells in touched.items()]
    return told + sorted(differences, key=lambda change: -len(change.cells))
