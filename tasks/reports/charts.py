"""Charts as shapes in a square that stretches to any width, drawn by matplotlib.

matplotlib scales, chooses ticks, and draws lines, bands and bars. Its colours, fonts and ids stay behind: the page's
own style colours shapes by what they are, in light and dark, under a policy that forbids any other style.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import floor, log10, nan
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tasks.reports.figures import NBSP

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 720
"""Of the square, in points of matplotlib's SVG."""

GAP = 1.5
"""A night is missing where two are further apart than this many times the usual."""

YEAR = timedelta(days=365)

GROUP = re.compile(r'<g id="(band|baseline|line|bars)">(.*?)</g>', re.DOTALL)
PATH = re.compile(r'<path d="([^"]*)"')
DECIMALS = re.compile(r"(\.\d)\d+")

Kind = Literal["night", "tonight", "worse"]
"""What a mark stands for; nights that regressed are worse, tonight among them."""


class Point(NamedTuple):
    """One night on a trend; `value` is None where nothing was measured, `says` its tooltip, `href` where it leads."""

    at: datetime
    value: float | None
    low: float | None
    high: float | None
    says: str
    href: str | None = None
    kind: Kind = "night"


class Tick(NamedTuple):
    """A label on an axis, at a share of its length in per cent."""

    place: str
    label: str


class Mark(NamedTuple):
    """A point that can be touched: shares of width and height in per cent."""

    x: str
    y: str
    kind: str
    says: str
    href: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Shapes as (what they are, SVG path in a square of `SIDE`), ticks, marks, and named upright lines."""

    shapes: tuple[tuple[str, str], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...] = ()
    rules: tuple[Tick, ...] = ()


class Canvas:
    """Matplotlib's axes with nothing but what is drawn on them; made once for many charts, since that takes long."""

    def __init__(self, figure: "Figure") -> None:
        self.figure = figure
        self.axes: Axes = figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        figure.patch.set_visible(False)

    def trend(
        self,
        points: Sequence[Point],
        *,
        baseline: float | None,
        y_range: tuple[float, float],
        label: Callable[[float], str],
    ) -> Chart | None:
        """Draw values over time with their band; None where fewer than two nights were measured."""
        from matplotlib.dates import AutoDateLocator, date2num, num2date
        from matplotlib.ticker import MaxNLocator

        if sum(point.value is not None for point in points) < 2:
            return None
        spaced = list(with_gaps(points))
        times: Any = date2num([point.at for point in spaced])
        values = [number(point.value) for point in spaced]
        lows, highs = [number(point.low) for point in spaced], [number(point.high) for point in spaced]
        margin = (times[-1] - times[0]) * 0.02
        self.clear((times[0] - margin, times[-1] + margin), y_range)
        self.axes.fill_between(times, lows, highs, gid="band")
        if baseline is not None:
            self.axes.plot([times[0] - margin, times[-1] + margin], [baseline] * 2, gid="baseline")
        self.axes.plot(times, values, gid="line")
        locator = AutoDateLocator(minticks=2, maxticks=5)  # from 3 on, spans between two units have no interval
        days = locator.tick_values(points[0].at, points[-1].at)
        span = points[-1].at - points[0].at
        names = {day_name(at, span): time for time, at in zip(days[::-1], num2date(days[::-1]), strict=True)}
        heights = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(*y_range)
        return Chart(
            shapes=self.shapes(),
            x_ticks=tuple(self.x_ticks((time, name) for name, time in names.items())),
            y_ticks=tuple(self.y_ticks((value, label(value)) for value in heights)),
            marks=tuple(self.marks(zip(times, spaced, strict=True))),
        )

    def distribution(
        self,
        bins: Sequence[tuple[float, float, int]],
        *,
        rules: Sequence[tuple[float, str]],
        label: Callable[[float], str],
    ) -> Chart | None:
        """Draw counts over a logarithmic scale, with upright lines at named values; None where there is nothing."""
        if not bins:
            return None
        places = [
            *(value for low, high, _ in bins for value in (low, high)),
            *(value for value, _ in rules if value > 0),
        ]
        low, high = log10(min(places)), log10(max(places))
        margin = 0.03 * (high - low)
        self.clear((low - margin, high + margin), (0, 1.25 * max(count for _, _, count in bins)))
        edges = [log10(bins[0][0])]
        heights: list[float] = []
        for start, end, count in bins:
            if log10(start) - edges[-1] > 1e-6:
                edges.append(log10(start))
                heights.append(0)
            edges.append(log10(end))
            heights.append(count)
        self.axes.stairs(heights, edges, fill=True, gid="bars")
        ticks = ((log10(value), label(value)) for value in round_values(10**low, 10**high))
        named = ((log10(value), name) for value, name in rules)
        return Chart(
            shapes=self.shapes(),
            x_ticks=tuple(self.x_ticks(ticks)),
            y_ticks=(),
            rules=tuple(self.x_ticks(named)),
        )

    def clear(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        """Take off what was drawn before, and set the scales."""
        for artist in (*self.axes.lines, *self.axes.collections, *self.axes.patches):
            artist.remove()
        self.axes.set_xlim(*x_range)
        self.axes.set_ylim(*y_range)

    def shapes(self) -> tuple[tuple[str, str], ...]:
        """What is drawn, as paths."""
        out = io.StringIO()
        self.figure.savefig(out, format="svg", metadata={"Date": None})
        return tuple(
            (kind, " ".join(DECIMALS.sub(r"\1", path).split()))
            for kind, group in GROUP.findall(out.getvalue())
            for path in PATH.findall(group)
        )

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point stands, as shares of width and height from the top left."""
        across, up = self.axes.transLimits.transform((x, y))
        return float(across), 1 - float(up)

    def x_ticks(self, labels: Any) -> Iterator[Tick]:
        """Labels below, where they are on the chart."""
        for value, name in labels:
            if name and 0 <= (x := self.place(value, 0)[0]) <= 1:
                yield Tick(percent(x), name)

    def y_ticks(self, labels: Any) -> Iterator[Tick]:
        """Labels beside, where they are on the chart."""
        bottom = self.axes.get_xlim()[0]
        for value, name in labels:
            if -0.001 <= (y := self.place(bottom, value)[1]) <= 1.001:
                yield Tick(percent(y), name)

    def marks(self, points: Any) -> Iterator[Mark]:
        """The nights that were measured."""
        for time, point in points:
            if point.value is not None:
                x, y = self.place(time, point.value)
                yield Mark(percent(x), percent(y), point.kind, point.says, point.href)


def open_canvas() -> Canvas | None:
    """Import matplotlib; without it, pages have their tables and no charts."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    return Canvas(Figure(figsize=(SIDE / 72, SIDE / 72)))


def with_gaps(points: Sequence[Point]) -> Iterator[Point]:
    """Put a blank between nights that are too far apart, so that no line bridges what is missing."""
    steps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(points)]
    longest = timedelta(seconds=GAP * median(steps))
    for earlier, later in pairwise(points):
        yield earlier
        if later.at - earlier.at > longest:
            yield Point(earlier.at + (later.at - earlier.at) / 2, None, None, None, "")
    yield points[-1]


def day_name(at: datetime, span: timedelta) -> str:
    """A day as an axis of some length shows it; by its year where another could bear its name."""
    return f"{at:%b}{NBSP}{at.year}" if span >= YEAR else f"{at.day}{NBSP}{at:%b}"


def number(value: float | None) -> float:
    """A value as matplotlib takes it: what is not known breaks lines."""
    return nan if value is None else value


def round_values(low: float, high: float) -> Iterator[float]:
    """The values 1, 2 and 5 times a power of ten between two; beyond two decades the powers alone."""
    steps = (1, 2, 5) if high < 100 * low else (1,)
    for power in range(floor(log10(low)), floor(log10(high)) + 1):
        yield from (step * 10.0**power for step in steps if low <= step * 10.0**power <= high)


def percent(share: float) -> str:
    """A share of a length."""
    return f"{100 * share:.2f}%"
