"""A cell with everything that a page shows of it, and which cells a reader should see first."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal, NamedTuple, Protocol, TypeVar

from tasks.records import MARKS as VERDICT_MARKS
from tasks.records import Cell, Comparison, Flip, GateResult, Verdict
from tasks.reports.page import ReportPage, SliceRate, UnmeasuredReason, anchor

Standing = Verdict | Literal["reference"]
"""What a cell's row says: its verdict, or that it is only there to be compared with."""

MARKS: Mapping[Standing, str] = dict[Standing, str]([*VERDICT_MARKS.items(), ("reference", "·")])
"""In the order in which they matter to a reader."""

MOST_FLIPS = 1_000
"""Of one cell on the page."""


class OfCell(Protocol):
    """A record of a cell."""

    @property
    def suite(self) -> str: ...
    @property
    def model(self) -> str: ...


Record = TypeVar("Record", bound=OfCell)


class Rate(NamedTuple):
    """A pass rate with its 95 % interval, as shares, and how many trials of each case it rests on."""

    value: float | None
    low: float | None
    high: float | None
    trials: int


def rate_of(cell: Cell, comparison: Comparison | None) -> Rate:
    """The pass rate to show of a cell: of the comparison where there is one, so that rates differ by the drop."""
    if comparison is None or comparison.drop_pp is None:
        return Rate(cell.pass_rate, cell.ci_low, cell.ci_high, cell.trials)
    return Rate(comparison.pass_rate, comparison.rate_ci_low, comparison.rate_ci_high, comparison.trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """One cell; `flips` that speak for its verdict come first. `action` is what one of its cases stands for."""

    cell: Cell
    action: str
    comparison: Comparison | None = None
    gates: tuple[GateResult, ...] = ()
    flips: tuple[Flip, ...] = ()
    slices: tuple[SliceRate, ...] = ()
    reasons: tuple[UnmeasuredReason, ...] = ()

    @property
    def suite(self) -> str:
        return self.cell.suite

    @property
    def model(self) -> str:
        return self.cell.model

    @property
    def anchor(self) -> str:
        """Where its verdict stands on the page of the run."""
        return anchor(self.suite, self.model)

    @property
    def page(self) -> str:
        """The file of its own page: the same name in every run."""
        return f"{self.anchor}.html"

    @property
    def comparison_page(self) -> str:
        """The file of its changed answers."""
        return f"comparison-{self.anchor.removeprefix('cell-')}.html"

    @property
    def standing(self) -> Standing:
        """Its verdict, if it has one."""
        return self.comparison.verdict if self.comparison else "reference"

    @property
    def mark(self) -> str:
        """The verdict as a symbol."""
        return MARKS[self.standing]

    @property
    def failed_gates(self) -> tuple[GateResult, ...]:
        """The gates that do not hold."""
        return tuple(gate for gate in self.gates if gate.state == "failed")

    @property
    def lacks_trials(self) -> bool:
        """True where some of its trials, or all, could not be measured."""
        return bool(self.reasons) or self.standing is Verdict.UNMEASURED

    @property
    def n_failed_gates(self) -> int:
        """How many they are."""
        return len(self.failed_gates)

    @property
    def baseline(self) -> str | None:
        """What it was compared with: a model of the same run, or an earlier run."""
        one = self.comparison
        if one is None or one.baseline_run_id is None:
            return None
        return one.baseline_model if one.baseline_run_id == one.run_id else one.baseline_run_id

    @property
    def drop_pp(self) -> float:
        """The drop, 0 where it is not known."""
        return (self.comparison.drop_pp if self.comparison else None) or 0.0

    @property
    def rate(self) -> Rate:
        """The pass rate that is shown of it."""
        return rate_of(self.cell, self.comparison)

    @property
    def rates(self) -> tuple[float, ...]:
        """Every share that its charts draw."""
        found = [self.rate.value, self.rate.low, self.rate.high]
        found += [self.comparison.baseline_pass_rate] if self.comparison else []
        for one in self.slices:
            found += [one.pass_rate, one.baseline_pass_rate, *(one.interval or ())]
        return tuple(rate for rate in found if rate is not None)

    def count(self, direction: str) -> int:
        """How many of its cases were lost, or gained."""
        return sum(flip.direction == direction for flip in self.flips)


def cell_views(page: ReportPage) -> tuple[CellView, ...]:
    """Put the records of each cell together: what got worse comes first, the largest drop before the others."""
    comparisons = {(one.suite, one.model): one for one in page.comparisons}
    gates, flips = by_cell(page.gates), by_cell(page.flips)
    slices, reasons = by_cell(page.slices), by_cell(page.unmeasured)
    actions = {suite.name: suite.config.action for suite in page.suites}
    views = []
    for cell in page.cells:
        key = (cell.suite, cell.model)
        comparison = comparisons.get(key)
        views.append(
            CellView(
                cell=cell,
                action=actions.get(cell.suite, "case"),
                comparison=comparison,
                gates=tuple(gates[key]),
                flips=tuple(sorted(flips[key], key=speaks_for(comparison))),
                slices=tuple(slices[key]),
                reasons=tuple(reasons[key]),
            )
        )
    return tuple(sorted(views, key=importance))


def by_cell(records: Iterable[Record]) -> defaultdict[tuple[str, str], list[Record]]:
    """Sort records into cells."""
    cells: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        cells[record.suite, record.model].append(record)
    return cells


def speaks_for(comparison: Comparison | None) -> Callable[[Flip], bool]:
    """A key that brings lost cases to the front, or gained ones where a cell improved."""
    wanted = "gained" if comparison and comparison.verdict is Verdict.IMPROVED else "lost"
    return lambda flip: flip.direction != wanted


def importance(view: CellView) -> tuple[bool, bool, int, float, str, str]:
    """A key that brings to the front what a reader should see first."""
    is_worse = view.standing is Verdict.REGRESSED
    rank = list(MARKS).index(view.standing)
    return (not is_worse, not view.failed_gates, rank, -view.drop_pp, view.suite, view.model)


def flips_in_turn(views: Sequence[CellView]) -> Iterator[tuple[CellView, Flip]]:
    """Yield the flips that may be shown, one of each cell in turn: those of cells that got worse before all others."""
    for is_worse in (True, False):
        chosen = [view for view in views if (view.standing is Verdict.REGRESSED) is is_worse]
        for turn in zip_longest(*(view.flips[:MOST_FLIPS] for view in chosen)):
            yield from ((view, flip) for view, flip in zip(chosen, turn, strict=True) if flip is not None)
