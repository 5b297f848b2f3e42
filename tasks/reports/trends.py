"""A cell's nights, and the charts that show them."""

from collections.abc import Sequence
from typing import NamedTuple

from tasks.records import Run, Verdict
from tasks.reports import figures
from tasks.reports.cells import CellView
from tasks.reports.charts import Canvas, Chart, Kind, Point
from tasks.reports.page import LatencyBin, PastCell, ReportPage
from tasks.reports.scales import rate_scale

LEAST_LATENCIES = 5
"""Answers without which a distribution shows nothing."""


class Night(NamedTuple):
    """A cell in one night, and where to read about it."""

    cell: PastCell
    href: str | None


class CellCharts(NamedTuple):
    """The charts of a cell; None where there is too little to draw."""

    rate: Chart | None = None
    latency: Chart | None = None
    cost: Chart | None = None


def nights_of(page: ReportPage, view: CellView, history: Sequence[PastCell]) -> list[Night]:
    """The nights of a cell, oldest first, tonight's without a link."""
    return [Night(cell, address(page, cell.run_id, f"#{view.anchor}")) for cell in history]


def address(page: ReportPage, run_id: str, place: str = "") -> str | None:
    """Where another run's page is, seen from this run's; None for this run, and where there is none."""
    return f"../{run_id}/index.html{place}" if run_id in page.reported and run_id != page.run.run_id else None


def cell_charts(
    canvas: Canvas | None, view: CellView, nights: Sequence[Night], bins: Sequence[LatencyBin]
) -> CellCharts:
    """Draw what is to be seen of a cell."""
    if canvas is None:
        return CellCharts()
    return CellCharts(
        rate_chart(canvas, view, nights), latency_chart(canvas, view, bins), cost_chart(canvas, view, nights)
    )


def rate_chart(canvas: Canvas, view: CellView, nights: Sequence[Night]) -> Chart | None:
    """Draw the pass rate by night with its band and tonight's baseline."""
    baseline = view.comparison.baseline_pass_rate if view.comparison else None
    points = [rate_point(night, view) for night in nights]
    shown = [value for point in points for value in (point.value, point.low, point.high) if value is not None]
    low = rate_scale([*shown, *([baseline] if baseline is not None else [])]).low
    return canvas.trend(points, baseline=baseline, y_range=(low, 1.0), label=lambda rate: f"{100 * rate:.0f} %")


def rate_point(night: Night, view: CellView) -> Point:
    """The pass rate of one night, marked where it had got worse."""
    cell = night.cell
    says = f"{figures.share(cell.pass_rate)} ({figures.shares(cell.ci_low, cell.ci_high)})"
    point = point_of(night, view, cell.pass_rate, says)._replace(low=cell.ci_low, high=cell.ci_high)
    return point._replace(kind="worse") if cell.verdict is Verdict.REGRESSED else point


def cost_chart(canvas: Canvas, view: CellView, nights: Sequence[Night]) -> Chart | None:
    """Draw the cost per action by night; None where it was always nothing."""
    costs = [night.cell.cost_per_action_usd for night in nights]
    points = [point_of(night, view, cost, figures.usd(cost)) for night, cost in zip(nights, costs, strict=True)]
    return costs_over_time(canvas, points)


def costs_over_time(canvas: Canvas, points: Sequence[Point]) -> Chart | None:
    """Draw costs from nothing up; None where all were nothing."""
    most = max((point.value for point in points if point.value is not None), default=0.0)
    return canvas.trend(points, baseline=None, y_range=(0, 1.08 * most), label=figures.usd) if most else None


def point_of(night: Night, view: CellView, value: float | None, says: str) -> Point:
    """One night of a cell; the verdict is in its tooltip."""
    cell = night.cell
    kind: Kind = "tonight" if cell.run_id == view.cell.run_id else "night"
    told = f"{cell.started_at:%Y-%m-%d}: {says}, {cell.verdict or 'reference'}"
    return Point(cell.started_at, value, None, None, told, night.href, kind)


def latency_chart(canvas: Canvas, view: CellView, bins: Sequence[LatencyBin]) -> Chart | None:
    """Draw how long answers took, with the median, p95 and its limit."""
    if sum(one.calls for one in bins) < LEAST_LATENCIES:
        return None
    named = {"median": view.cell.p50_ms, "p95": view.cell.p95_ms, "limit": limit_ms(view)}
    rules = [(value, f"{name} {figures.milliseconds(value)}") for name, value in named.items() if value]
    return canvas.distribution(
        [(one.low_ms, one.high_ms, one.calls) for one in bins], rules=rules, label=figures.milliseconds
    )


def limit_ms(view: CellView) -> float | None:
    """What p95 is held to, where a gate says so."""
    return next((gate.limit_value for gate in view.gates if gate.gate == "p95_ms"), None)


def run_cost_chart(canvas: Canvas | None, page: ReportPage, nights: Sequence[Run]) -> Chart | None:
    """Draw what each night cost in all; `nights` are the oldest first."""
    if canvas is None:
        return None
    return costs_over_time(
        canvas,
        [
            Point(
                night.started_at,
                night.cost_usd,
                None,
                None,
                f"{night.started_at:%Y-%m-%d}: {figures.usd(night.cost_usd)}, {figures.counted(night.calls, 'call')}",
                address(page, night.run_id),
                "tonight" if night.run_id == page.run.run_id else "night",
            )
            for night in nights
        ],
    )
