"""A line chart as SVG: the share of nights with an alarm by the size of the drop."""

import io
from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

COLOURS = ("#b45309", "#d97706", "#6b7280", "#1d4ed8")
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "daybreak", "font.family": "sans-serif"}
"""Texts as texts, and the same ids each time, so that a figure changes with its numbers alone."""


def power_chart(curves: Mapping[str, Sequence[float]], drops_pp: Sequence[int]) -> str:
    """Draw one line per rule; `curves` holds shares, one per drop."""
    with rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4), layout="constrained")
        axes = figure.subplots()
        for number, (name, shares) in enumerate(curves.items()):
            axes.plot(drops_pp, shares, label=name, color=COLOURS[number], linewidth=2, gid=f"rule-{number}")
        axes.set(
            title="Share of nights with an alarm, by the true drop",
            xlabel="true drop in percentage points (100 cases, 15 % flaky)",
            xticks=drops_pp,
            ylim=(0, 1.02),
        )
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        axes.grid(axis="y", alpha=0.4)
        axes.legend(frameon=False, loc="lower right")
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines()) + "\n"
