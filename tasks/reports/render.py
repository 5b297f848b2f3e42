"""From a page to HTML that needs nothing else and runs nothing but its own script."""

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from tasks.reports import commands, figures
from tasks.reports.cells import MARKS, CellView, cell_views
from tasks.reports.excerpts import excerpt
from tasks.reports.flips import Filters, FlipView, flip_groups
from tasks.reports.headline import headline, tally
from tasks.reports.page import ReportPage
from tasks.reports.scales import rate_scale
from tasks.reports.visible import finished

if TYPE_CHECKING:
    from jinja2 import Environment

FILTERS = (
    figures.counted, figures.index, figures.milliseconds, figures.moment, figures.p_value, figures.points,
    figures.points_interval, figures.share, figures.shares, figures.usd,
)  # fmt: skip


def render(page: ReportPage) -> str:
    """Draw the page of a run."""
    templates = environment()
    views = cell_views(page)
    filters = Filters()
    draw_flip = templates.get_template("flip.html.j2").render

    def draw(flip: FlipView) -> str:
        return draw_flip(flip=flip, keys=filters.of(flip))

    return templates.get_template("run.html.j2").render(
        page=page,
        views=views,
        groups=flip_groups(page, views, draw),
        filters=filters,
        headline=headline(page.run.status, views),
        tally=tally(views),
        gates=gates_to_show(views),
        retirements=[row for row in page.retirements if row.retires_on is not None],
        scale=rate_scale(rate for view in views for rate in view.rates),
        again=list(commands.again(page.run.flow, views, whole=page.whole)),
    )


def gates_to_show(views: tuple[CellView, ...]) -> list[tuple[CellView, Any]]:
    """Every gate with its cell: those that failed first, then those that could not be decided."""
    states = ("failed", "undecided", "ok")
    found = [(view, gate) for view in views for gate in view.gates]
    return sorted(found, key=lambda pair: states.index(pair[1].state))


def render_redirect(run_id: str) -> str:
    """Draw a page that leads on to the report of a run beside it."""
    return environment().get_template("latest.html.j2").render(run_id=run_id)


@cache
def environment() -> "Environment":
    """Templates that escape every value, show hidden characters, and refuse names that do not exist."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("tasks.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finished,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update({function.__name__: function for function in FILTERS})
    made.filters["brief"] = brief
    made.globals.update(
        MARKS=MARKS,
        duration=figures.duration,
        gate_value=figures.gate_value,
        select=commands.select,
    )
    made.globals["policy"] = policy(*(made.get_template(name).render() for name in ("page.css", "filters.js")))
    return made


def brief(text: str | None, most: int = 300) -> str | None:
    """The beginning of a text that has no bound of its own."""
    if text is None:
        return None
    cut = excerpt(text, most=most)
    return cut.text + "…" if cut.is_shortened else text


def policy(style: str, script: str) -> str:
    """What a browser may do with a page: apply its style, run its script, nothing else."""
    return (
        f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def digest(text: str) -> str:
    """A text's hash as a Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
