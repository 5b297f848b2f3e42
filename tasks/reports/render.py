"""From values to HTML that needs nothing else and runs nothing but its own script."""

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from tasks.reports import figures
from tasks.reports.cells import MARKS
from tasks.reports.excerpts import excerpt
from tasks.reports.visible import finished

if TYPE_CHECKING:
    from jinja2 import Environment

FILTERS = (
    figures.change, figures.counted, figures.day, figures.index, figures.milliseconds, figures.moment,
    figures.money_or_dash, figures.p_value, figures.points, figures.points_interval, figures.share, figures.shares,
    figures.usd, figures.whole,
)  # fmt: skip


def draw(template: str, **values: Any) -> str:
    """Draw a template."""
    return environment().get_template(template).render(values)


def draw_redirect(run_id: str) -> str:
    """Draw a page that leads on to the report of a run beside it."""
    return draw("latest.html.j2", run_id=run_id)


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
