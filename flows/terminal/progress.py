"""Progress of a run while it goes on: a bar in a terminal, plain lines elsewhere; always on stderr."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tasks.calls.journal import Trial

PLAIN_EVERY_S = 10.0


class Progress(Protocol):
    """Told of every finished trial."""

    def __call__(self, trial: Trial) -> None:
        """Count it and show the count now and then."""


class Tally:
    """Counts of finished trials, what they cost, and how long the rest will take."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.outcomes: Counter[str] = Counter()
        self.cost_usd = 0.0
        self.started = time.monotonic()

    def add(self, trial: Trial) -> None:
        """Count one finished trial; the line that only brings its answer adds nothing but cost."""
        self.cost_usd += sum(call.cost_usd or 0 for call in trial.calls)
        if trial.outcome:
            self.done += 1
            self.outcomes[trial.outcome.outcome] += 1

    @property
    def left_s(self) -> float | None:
        """Seconds left at the pace so far."""
        elapsed = time.monotonic() - self.started
        return elapsed / self.done * (self.total - self.done) if self.done and elapsed > 1 else None

    def __str__(self) -> str:
        left = f", about {self.left_s:.0f} s left" if self.left_s is not None and self.done < self.total else ""
        odd = f", {self.outcomes['unmeasured']} unmeasured" if self.outcomes["unmeasured"] else ""
        return (
            f"{self.done}/{self.total} trials, {self.outcomes['passed']} passed, {self.outcomes['failed']} failed"
            f"{odd}, "
            f"${self.cost_usd:.4f}{left}"
        )


@contextmanager
def shown_progress(total: int) -> Iterator[Progress]:
    """Show progress until the run ends."""
    if sys.stderr.isatty():
        with live_bar(total) as progress:
            yield progress
    else:
        yield plain_lines(total)


def plain_lines(total: int) -> Progress:
    """A line every ten seconds and at the end."""
    tally, last = Tally(total), time.monotonic()

    def tell(trial: Trial) -> None:
        nonlocal last
        tally.add(trial)
        if trial.outcome and (tally.done == total or time.monotonic() - last > PLAIN_EVERY_S):
            last = time.monotonic()
            print(tally, file=sys.stderr, flush=True)

    return tell


@contextmanager
def live_bar(total: int) -> Iterator[Progress]:
    """A bar that is redrawn in place."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    tally = Tally(total)
    with Bars(BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("starting", total=total)

        def tell(trial: Trial) -> None:
            tally.add(trial)
            if trial.outcome:
                bars.update(bar, completed=tally.done, description=str(tally))

        yield tell
