"""The pages of a run: the run itself, each cell, the changed answers of each, models, costs."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from tasks.records import MARKS as VERDICT_MARKS
from tasks.records import Calibration, Correction, GateResult, Run, Verdict
from tasks.reports import commands
from tasks.reports.cells import CellView, by_cell, cell_views
from tasks.reports.changes import changes
from tasks.reports.charts import Canvas, open_canvas
from tasks.reports.costs import cell_costs, costs, sums
from tasks.reports.flips import FilterKeys, FlipGroup, FlipView, flip_groups
from tasks.reports.headline import headline, tally
from tasks.reports.page import CallCount, LatencyBin, PastCell, ReportPage
from tasks.reports.render import draw
from tasks.reports.scales import Scale, rate_scale
from tasks.reports.summary import summary
from tasks.reports.trends import cell_charts, limit_ms, nights_of, run_cost_chart

INDEX, JUNIT, SUMMARY = "index.html", "junit.xml", "summary.md"
MOST_NIGHTS = 60
"""On a trend."""

MOST_RUNS = 400
"""In the list of all runs."""

GATE_STATES = ("failed", "undecided", "ok")


class File(NamedTuple):
    """A page, or the run in a form for machines: its name in the folder of its run, and what is in it."""

    name: str
    text: str


class RunRow(NamedTuple):
    """A run in the list of all, with how many cells have which verdict."""

    run: Run
    verdicts: Mapping[Verdict, int]


class CellRecords(NamedTuple):
    """What pages of cells need, by suite and model, and calibrations by suite."""

    history: Mapping[tuple[str, str], Sequence[PastCell]]
    latencies: Mapping[tuple[str, str], Sequence[LatencyBin]]
    calls: Mapping[tuple[str, str], Sequence[CallCount]]
    corrections: Mapping[tuple[str, str], Sequence[Correction]]
    calibrations: Mapping[str, Sequence[Calibration]]


def files(page: ReportPage) -> Iterator[File]:
    """Draw every page of a run; its first page, from which all others are reached, comes last."""
    views, canvas = cell_views(page), open_canvas()
    groups = flip_groups(page, views, draw_flip)
    records = records_of(page)
    for group in groups:
        yield comparison_page(page, group)
    for view in views:
        yield cell_page(page, view, records, canvas)
    yield models_page(page)
    yield cost_page(page, views, canvas)
    yield File(JUNIT, draw("junit.xml.j2", page=page, run=page.run, views=views))
    yield File(SUMMARY, summary(page, views))
    yield index_page(page, views, groups)


def draw_flip(flip: FlipView, keys: FilterKeys) -> str:
    """Draw one changed answer, for whichever page."""
    return draw("flip.html.j2", flip=flip, keys=keys)


def records_of(page: ReportPage) -> CellRecords:
    """Sort what belongs to cells."""
    calibrations: defaultdict[str, list[Calibration]] = defaultdict(list)
    for one in page.calibrations:
        calibrations[one.suite].append(one)
    return CellRecords(
        history=by_cell(page.history),
        latencies=by_cell(page.latencies),
        calls=by_cell(page.calls),
        corrections=by_cell(page.corrections),
        calibrations=calibrations,
    )


def file(page: ReportPage, name: str, template: str, **values: Any) -> File:
    """Draw a page with what all of them have in common."""
    select = partial(commands.select, options=page.options)
    return File(name, draw(template, page=page, run=page.run, here=name, select=select, **values))


def index_page(page: ReportPage, views: Sequence[CellView], groups: Sequence[FlipGroup]) -> File:
    """The page of the run."""
    return file(
        page,
        INDEX,
        "index.html.j2",
        views=views,
        groups=groups,
        changes=changes(page, views),
        headline=headline(page.run.status, views),
        tally=tally(views),
        gates=[(view, gate) for view, gate in gates_to_show(views) if gate.state != "ok"],
        retirements=page.retirements,
        scale=scale_of(views),
        again=list(
            commands.again(page.run.flow, views, whole=page.whole, candidate=page.candidate, options=page.options)
        ),
        may_be_promoted=commands.may_be_promoted(views),
        promote=shlex.join(["daybreak", "baseline", "promote", page.run.run_id, *page.options]),
    )


def cell_page(page: ReportPage, view: CellView, records: CellRecords, canvas: Canvas | None) -> File:
    """The page of a cell."""
    key = (view.suite, view.model)
    nights = nights_of(page, view, records.history.get(key, ())[-MOST_NIGHTS:])
    latencies = records.latencies.get(key, ())
    return file(
        page,
        view.page,
        "cell.html.j2",
        view=view,
        past=nights,
        charts=cell_charts(canvas, view, nights, latencies),
        scale=scale_of([view]),
        gate_rows=gates_to_show([view]),
        latencies=latencies,
        limit_ms=limit_ms(view),
        calls=records.calls.get(key, ()),
        corrections=records.corrections.get(key, ()),
        calibrations=records.calibrations.get(view.suite, ()),
        trends=[line for line in page.trends if view.suite in line],
    )


def comparison_page(page: ReportPage, group: FlipGroup) -> File:
    """The page of a cell's changed answers."""
    view = group.view
    return file(page, view.comparison_page, "comparison.html.j2", view=view, group=group, filters=group.filters)


def models_page(page: ReportPage) -> File:
    """The page of models: those that retire first at the top."""
    rows = sorted(page.retirements, key=lambda row: (row.days_left is None, row.days_left or 0, row.model))
    return file(page, "models.html", "models.html.j2", retirements=rows, versions=page.versions, events=page.events)


def cost_page(page: ReportPage, views: Sequence[CellView], canvas: Canvas | None) -> File:
    """The page of costs."""
    past = [cell for cell in page.history if cell.run_id != page.run.run_id]
    return file(
        page,
        "cost.html",
        "cost.html.j2",
        chart=run_cost_chart(canvas, page, page.nights[:MOST_NIGHTS][::-1]),
        whole=costs(page.calls),
        by_model=sums(views, page.calls, past, lambda cell: cell.model),
        by_suite=sums(views, page.calls, past, lambda cell: cell.suite),
        by_cell=cell_costs(views, page.calls, past),
        nights=MOST_NIGHTS,
    )


def runs_page(rows: Sequence[RunRow]) -> str:
    """The list of all runs that have a report, newest first."""
    shown = [RunRow(row.run, in_order(row.verdicts)) for row in rows[:MOST_RUNS]]
    return draw("runs.html.j2", rows=shown, left_out=max(0, len(rows) - MOST_RUNS))


def in_order(verdicts: Mapping[Verdict, int]) -> Mapping[Verdict, int]:
    """What matters most first."""
    return {verdict: verdicts[verdict] for verdict in VERDICT_MARKS if verdicts.get(verdict)}


def scale_of(views: Sequence[CellView]) -> Scale:
    """One scale for the rates of some cells."""
    return rate_scale(rate for view in views for rate in view.rates)


def gates_to_show(views: Sequence[CellView]) -> list[tuple[CellView, GateResult]]:
    """Every gate with its cell: those that failed first, then those that could not be decided."""
    found = [(view, gate) for view in views for gate in view.gates]
    return sorted(found, key=lambda pair: GATE_STATES.index(pair[1].state))
