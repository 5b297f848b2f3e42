"""A run in Markdown, as GitHub shows it beside a job."""

import re
from collections.abc import Iterator, Sequence

from tasks.reports import figures
from tasks.reports.cells import CellView
from tasks.reports.excerpts import excerpt
from tasks.reports.headline import headline
from tasks.reports.page import ReportPage
from tasks.reports.visible import visible

MOST_ROWS, MOST_CHARACTERS = 200, 200
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>~@&:-])")
"""What Markdown or GitHub would take for more than text."""

HEAD = """\
| verdict | suite | model | pass rate | baseline | drop | 95 % | cases | why |
|---|---|---|---:|---:|---:|---:|---:|---|"""


def summary(page: ReportPage, views: Sequence[CellView]) -> str:
    """The headline, a row for each cell with what matters first, failed gates and what the figures rest on."""
    return "\n".join(lines(page, views)) + "\n"


def lines(page: ReportPage, views: Sequence[CellView]) -> Iterator[str]:
    """Yield it line by line."""
    run = page.run
    yield f"## {text(headline(run.status, views))}\n"
    yield f"{run.flow} `{run.run_id}`, {figures.counted(run.calls, 'call')}, {figures.usd(run.cost_usd)}\n"
    if views:
        yield HEAD
        yield from (row(view) for view in views[:MOST_ROWS])
    if len(views) > MOST_ROWS:
        yield f"\nand {figures.counted(len(views) - MOST_ROWS, 'more cell')}"
    failed = [gate for view in views for gate in view.failed_gates]
    yield from (
        f"\n✗ {text(gate.suite)} on {text(gate.model)}: {text(gate.gate)} is {figures.gate_value(gate, gate.value)}, "
        f"limit {figures.gate_value(gate, gate.limit_value)}"
        for gate in failed[:MOST_ROWS]
    )
    if page.simulated:
        yield "\nSimulated, not a real model: " + ", ".join(map(text, page.simulated[:MOST_ROWS]))
    yield from (f"\n{text(note)}" for note in page.notes[:MOST_ROWS])


def row(view: CellView) -> str:
    """A cell of the table."""
    one = view.comparison
    cells = [
        f"{view.mark} {view.standing}",
        text(view.suite),
        text(view.model),
        figures.share(view.rate.value),
        figures.share(one.baseline_pass_rate if one else None),
        figures.points(one.drop_pp if one else None),
        figures.points_interval(one.ci_low_pp, one.ci_high_pp) if one else figures.UNKNOWN,
        f"{view.cell.n_measured} of {view.cell.n_cases}",
        text(one.cause) if one else "",
    ]
    return f"| {' | '.join(cells)} |"


def text(of_others: str) -> str:
    """What others wrote, as a line that means nothing to Markdown."""
    cut = excerpt(of_others, most=MOST_CHARACTERS)
    return SPECIAL.sub(r"\\\1", " ".join(visible(cut.text).split())) + ("…" if cut.is_shortened else "")
