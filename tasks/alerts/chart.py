"""A cell's pass rate over the last nights as a picture: the rate with its band, the pinned baseline, and tonight."""

import io
import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_INCHES, DOTS_PER_INCH = (6.4, 2.6), 150
LINE, BAND, BASELINE, WORSE = "#1f4e79", "#9dc3e6", "#595959", "#b3261e"
GAP = 1.5
"""A night is missing where two are further apart than this many times the usual."""


class Point(NamedTuple):
    """One night: shares of 1; None where nothing was measured."""

    at: datetime
    rate: float | None
    low: float | None
    high: float | None


def chart(points: Sequence[Point], *, baseline: float | None, title: str) -> bytes | None:
    """Draw a PNG; None where fewer than two nights were measured, or matplotlib is not installed.

    What is a gap in the nights is a gap in the line.
    """
    if sum(point.rate is not None for point in points) < 2:
        return None
    try:
        from matplotlib.figure import Figure
    except ImportError:  # an alert without its picture is still an alert
        return None
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.subplots()
    for stretch in stretches(points):
        draw_stretch(axes, stretch)
    if baseline is not None:
        axes.axhline(100 * baseline, color=BASELINE, linestyle="--", linewidth=1, label=f"baseline {baseline:.1%}")
    last = next(point for point in reversed(points) if point.rate is not None)
    axes.plot([last.at], [100 * (last.rate or 0)], "D", color=WORSE, markersize=6, label=f"latest {last.rate:.1%}")
    dress(axes, title)
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box stands for a letter that the font lacks
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def draw_stretch(axes: "Axes", stretch: Sequence[Point]) -> None:
    """Draw nights without a gap between them."""
    times = [point.at for point in stretch]
    low, high = ([100 * value for value in side if value is not None] for side in zip(*bounds(stretch), strict=True))
    axes.fill_between(times, low, high, color=BAND, alpha=0.6, linewidth=0)
    axes.plot(
        times, [100 * (point.rate or 0) for point in stretch], color=LINE, marker="o", markersize=3, linewidth=1.2
    )


def bounds(stretch: Iterable[Point]) -> Iterator[tuple[float | None, float | None]]:
    """The ends of each interval; the rate itself where it has none."""
    for point in stretch:
        yield (point.rate if point.low is None else point.low), (point.rate if point.high is None else point.high)


def dress(axes: "Axes", title: str) -> None:
    """Name the axes and leave out what says nothing."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=2, maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_ylabel("pass rate, %")
    axes.set_title(plain(title), fontsize=10, loc="left")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize=8, frameon=False, loc="best")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def plain(title: str) -> str:
    """A title without the signs by which matplotlib knows a formula."""
    return title.replace("$", r"\$")


def stretches(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Cut the nights where one is missing or was not measured."""
    steps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(points)]
    longest = timedelta(seconds=GAP * median(steps)) if steps else timedelta.max
    stretch: list[Point] = []
    for point in points:
        if stretch and (point.rate is None or point.at - stretch[-1].at > longest):
            yield stretch
            stretch = []
        if point.rate is not None:
            stretch.append(point)
    if stretch:
        yield stretch
