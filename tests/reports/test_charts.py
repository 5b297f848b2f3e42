"""What is drawn, and what costs add up to."""

from datetime import timedelta

import pytest

from tasks.reports.cells import cell_views
from tasks.reports.changes import changes
from tasks.reports.charts import Canvas, Chart, Point, open_canvas, round_values, with_gaps
from tasks.reports.costs import cell_costs, sums
from tasks.reports.figures import NBSP, share
from tests.reports.sample_pages import LARGE, SMALL, TRIAGE, sample_history, sample_night, sample_run


def points(*rates: float | None, missing: int = -1) -> list[Point]:
    first = sample_run().started_at
    return [
        Point(first + timedelta(days=day), rate, rate and rate - 0.05, rate and rate + 0.05, f"night {day}")
        for day, rate in enumerate(rates)
        if day != missing
    ]


def a_canvas() -> Canvas:
    pytest.importorskip("matplotlib")
    canvas = open_canvas()
    assert canvas
    return canvas


def drawn(*rates: float | None, missing: int = -1) -> Chart:
    chart = a_canvas().trend(points(*rates, missing=missing), baseline=0.9, y_range=(0.5, 1.0), label=share)
    assert chart
    return chart


def test_a_blank_stands_where_a_night_is_missing() -> None:
    found = list(with_gaps(points(0.9, 0.8, 0.7, 0.9, 0.9, missing=2)))
    assert [point.value for point in found] == [0.9, 0.8, None, 0.9, 0.9]


@pytest.mark.parametrize(
    ("rates", "missing", "stretches"), [((0.9,) * 6, -1, 1), ((0.9,) * 6, 2, 2), ((0.9, 0.8, None, 0.9, 0.8), -1, 2)]
)
def test_line_and_band_break_where_nothing_was_measured(
    rates: tuple[float | None, ...], missing: int, stretches: int
) -> None:
    chart = drawn(*rates, missing=missing)
    [line] = [path for kind, path in chart.shapes if kind == "line"]
    assert line.count("M") == stretches
    assert sum(path.count("M") for kind, path in chart.shapes if kind == "band") == stretches


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("span", "n_days"),
    [
        (timedelta(seconds=150), 1),
        (timedelta(seconds=179), 1),
        (timedelta(minutes=150), 1),
        (timedelta(hours=25), 2),
        (timedelta(hours=60), 2),
        (timedelta(days=59), 4),
        (timedelta(days=910), 3),
    ],
)
def test_nights_however_far_apart_have_days_below_them_and_no_warning(span: timedelta, n_days: int) -> None:
    """Between two units matplotlib found no interval, and said so in the terminal."""
    first, second = points(0.9, 0.8)
    nights = [first, second._replace(at=first.at + span)]
    chart = a_canvas().trend(nights, baseline=None, y_range=(0, 1), label=share)
    assert chart
    assert len({tick.label for tick in chart.x_ticks}) == len(chart.x_ticks) == n_days


def test_marks_stand_on_the_scale_and_say_what_they_are() -> None:
    chart = drawn(0.75, 1.0, 0.5)
    assert [mark.y for mark in chart.marks] == ["50.00%", "0.00%", "100.00%"]
    assert [mark.says for mark in chart.marks] == ["night 0", "night 1", "night 2"]
    assert {tick.label for tick in chart.y_ticks} >= {f"60.0{NBSP}%", f"100.0{NBSP}%"}


def test_a_canvas_forgets_what_it_drew_before() -> None:
    canvas = a_canvas()
    first = canvas.distribution([(100, 200, 3), (400, 800, 1)], rules=[(150, "median")], label=str)
    canvas.trend(points(0.9, 0.8), baseline=None, y_range=(0, 1), label=share)
    assert canvas.distribution([(100, 200, 3), (400, 800, 1)], rules=[(150, "median")], label=str) == first


def test_one_night_is_no_trend_and_no_answer_no_distribution() -> None:
    canvas = a_canvas()
    assert canvas.trend(points(0.9, None), baseline=0.9, y_range=(0, 1), label=share) is None
    assert canvas.distribution([], rules=[], label=str) is None


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(90, 1100, [100, 200, 500, 1000]), (1, 1500, [1, 10, 100, 1000]), (30, 45, [])]
)
def test_logarithmic_scales_have_round_ticks(low: float, high: float, expected: list[float]) -> None:
    assert list(round_values(low, high)) == expected


def test_costs_add_up_to_those_of_the_run_and_stand_beside_what_was_usual() -> None:
    night = sample_night()
    views = cell_views(night)
    by_model = sums(views, night.calls, sample_history(), lambda cell: cell.model)
    by_suite = sums(views, night.calls, sample_history(), lambda cell: cell.suite)
    by_cell = cell_costs(views, night.calls, sample_history())
    for table in (by_model, by_suite, by_cell):
        assert table.others.by_purpose == {"probes": 0.001}
        shown = [*(row.costs.in_all_usd or 0.0 for row in table.rows), 0.001]
        assert sum(shown) == pytest.approx(night.run.cost_usd)
    assert [(row.name, row.usual_usd) for row in by_model.rows] == [(SMALL, pytest.approx(0.04)), (LARGE, None)]
    assert by_suite.rows[0].costs.by_purpose == {"cells": 0.2, "judges": 1.42}
    costs = {(one.view.suite, one.view.model): one for one in by_cell.rows}
    assert costs[TRIAGE, SMALL].change == pytest.approx(0.000421 / 0.00042 - 1)
    assert costs[TRIAGE, LARGE].change is None


def test_a_sum_of_which_a_price_is_not_known_is_not_known() -> None:
    night = sample_night()
    unknown = [one._replace(cost_usd=None) if one.model == LARGE else one for one in night.calls]
    rows = {row.name: row.costs for row in sums(cell_views(night), unknown, (), lambda cell: cell.model).rows}
    assert rows[LARGE].in_all_usd is None
    assert rows[SMALL].in_all_usd == pytest.approx(1.7881)


def test_what_changed_is_told_once_with_the_cells_that_it_touches() -> None:
    night = sample_night()
    found = changes(night, cell_views(night))
    assert [(change.text.split()[0], len(change.cells)) for change in found] == [(SMALL, 0), ("served", 1)]
