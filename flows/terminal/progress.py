"""Progress of a run while it goes on: a bar in a terminal, plain lines elsewhere; always on stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from flows.news import NONE, News

PLAIN_EVERY_S = 10.0

SETTLED_S = 5.0
"""Before that a pace says nothing: the first answers come late."""


class Tally:
    """Counts of finished trials, what they cost where prices are known, and how long the rest will take."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.so_far = NONE
        self.started = time.monotonic()

    def expect(self, trials: int) -> None:
        """Count on so many more, or on fewer."""
        self.total += trials

    @property
    def done(self) -> int:
        """How many are finished."""
        return self.so_far.outcomes.total()

    def add(self, news: News) -> None:
        """Count what was finished and spent."""
        self.so_far += news

    @property
    def left_s(self) -> float | None:
        """Seconds left at the pace so far."""
        elapsed = time.monotonic() - self.started
        return elapsed / self.done * (self.total - self.done) if self.done and elapsed > SETTLED_S else None

    def __str__(self) -> str:
        left = f", {time_left(self.left_s)} left" if self.left_s is not None and self.done < self.total else ""
        outcomes, cost_usd = self.so_far
        odd = f", {outcomes['unmeasured']} unmeasured" if outcomes["unmeasured"] else ""
        cost = "" if cost_usd is None else f", ${cost_usd:.4f}"
        return (
            f"{self.done}/{self.total} trials, {outcomes['passed']} passed, {outcomes['failed']} failed"
            f"{odd}{cost}{left}"
        )


def time_left(seconds: float) -> str:
    """About how long, in minutes."""
    return "less than a minute" if seconds < 60 else f"about {seconds / 60:.0f} min"


class Progress(NamedTuple):
    """`tell` it of finished trials, and let it `expect` those that were not planned from the beginning."""

    tell: Callable[[News], None]
    expect: Callable[[int], None]


@contextmanager
def shown_progress(total: int) -> Iterator[Progress]:
    """Show progress until the run ends."""
    if sys.stderr.isatty():
        with live_bar(total) as progress:
            yield progress
    else:
        yield plain_lines(total)


def plain_lines(total: int) -> Progress:
    """A line every ten seconds and whenever all that is expected is done."""
    tally, last = Tally(total), time.monotonic()

    def tell(news: News) -> None:
        nonlocal last
        tally.add(news)
        if news.outcomes and (tally.done == tally.total or time.monotonic() - last > PLAIN_EVERY_S):
            last = time.monotonic()
            print(tally, file=sys.stderr, flush=True)

    return Progress(tell, tally.expect)


@contextmanager
def live_bar(total: int) -> Iterator[Progress]:
    """A bar that is redrawn in place."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    tally = Tally(total)
    with Bars(BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("starting", total=total)

        def tell(news: News) -> None:
            tally.add(news)
            if news.outcomes:
                bars.update(bar, completed=tally.done, total=tally.total, description=str(tally))

        yield Progress(tell, tally.expect)
