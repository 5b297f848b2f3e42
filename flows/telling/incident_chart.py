"""The chart that goes with an incident: the pass rate of its worst cell over the last nights."""

from pathlib import Path

from tasks.alerts.chart import Point, chart
from tasks.alerts.story import Story, row_name
from tasks.alerts.telling import Picture
from tasks.config import IncidentKind
from tasks.storage import incidents

NIGHTS = 30
OF_RATES = frozenset({IncidentKind.REGRESSION, IncidentKind.PASS_RATE})


def picture_of(results: Path, story: Story) -> Picture | None:
    """Draw it for incidents that are about pass rates; None for others, and where there is too little to draw."""
    rows = story.incident.open_rows or story.incident.rows
    key = max(rows, key=lambda row: row.last.level).key
    if story.incident.kind not in OF_RATES or not key.suite or not key.model:
        return None
    points = [Point(*night) for night in incidents.trend(results, key.suite, key.model, most=NIGHTS)]
    loss = story.setting.losses.get(key)
    png = chart(points, baseline=loss.comparison.baseline_pass_rate if loss else None, title=row_name(key))
    return Picture(png, f"Pass rate of {row_name(key)} over the last {len(points)} nights") if png else None
