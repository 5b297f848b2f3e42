"""The picture that goes with an alert."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tasks.alerts.chart import Point, chart, stretches
from tests.fakes.nights import AT

RATES = [0.92, 0.91, None, 0.93, 0.9, 0.79]


def points(*days: int) -> list[Point]:
    """Nights on some days; the third was not measured."""
    rates = [RATES[day % len(RATES)] for day in days]
    return [
        Point(AT + timedelta(days=day), rate, rate and rate - 0.05, rate and rate + 0.05)
        for day, rate in zip(days, rates, strict=True)
    ]


def test_a_line_is_broken_where_a_night_is_missing_or_was_not_measured() -> None:
    found = list(stretches(points(0, 1, 2, 3, 4, 7, 9, 10)))
    assert [[(point.at - AT).days for point in stretch] for stretch in found] == [[0, 1], [3, 4], [7], [9, 10]]
    for one, next_one in pairwise(found):
        assert one[-1].at < next_one[0].at


def test_one_night_is_no_trend() -> None:
    assert chart(points(0, 2), baseline=0.9, title="x") is None


def test_a_chart_is_a_small_png_and_the_same_every_time() -> None:
    pytest.importorskip("matplotlib")
    month = points(*(day for day in range(30) if day != 12))
    png = chart(month, baseline=0.917, title="support-qa on $x$ \\frac{ مرحبا 漢字 <!channel>")
    assert png is not None
    assert png.startswith(b"\x89PNG\r\n")
    assert 5_000 < len(png) < 100_000
    assert png == chart(month, baseline=0.917, title="support-qa on $x$ \\frac{ مرحبا 漢字 <!channel>")
