"""What happened in a night: what a person must be told of it, worst first, or nothing at all."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tasks.alerts.inert import side_by_side
from tasks.records import Cell, Comparison, Event, Flip, GateResult, Lifespan, Verdict

CASES_SHOWN = 3
EXCERPT_UNITS = 400
"""An output that a digest keeps; messages may show less."""

TOLD_BY_VERDICT = {"max_drop_pp": Verdict.REGRESSED, "min_coverage": Verdict.UNMEASURED}
"""Gates that say of a cell what its verdict says already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostCase:
    """A case that passed before and fails now; outputs are None where they must not be shown or there was none."""

    case_id: str
    before: str | None = None
    now: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A cell that got worse, with some of the cases it lost and how many they are altogether."""

    comparison: Comparison
    cases: tuple[LostCase, ...]
    n_lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """A cell that could not be measured, and why."""

    suite: str
    model: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What happened in a run; `report` is an address or a path, `simulated` names models that only pretend."""

    run_id: str
    regressions: tuple[Regression, ...] = ()
    gates: tuple[GateResult, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    retirements: tuple[Lifespan, ...] = ()
    events: tuple[Event, ...] = ()
    simulated: tuple[str, ...] = ()
    excerpts: bool = True
    report: str | None = None

    @property
    def models(self) -> frozenset[str]:
        """Every model of which something is told."""
        regressed = {regression.comparison.model for regression in self.regressions}
        others = {gate.model for gate in self.gates} | {cell.model for cell in self.unmeasured}
        told = {row.model for row in self.retirements} | {event.model for event in self.events}
        return frozenset(regressed | others | told)


def digest_of(
    run_id: str,
    *,
    cells: Sequence[Cell],
    comparisons: Sequence[Comparison],
    gates: Iterable[GateResult],
    flips: Sequence[Flip],
    retirements: Iterable[Lifespan],
    simulated: Iterable[str],
    excerpts: bool,
    report: str | None,
    events: Iterable[Event] = (),
) -> Digest | None:
    """Gather what happened in a run, each kind worst first; None in a quiet one.

    `retirements` are those that reached a notice level since the last night.
    """
    digest = Digest(
        run_id=run_id,
        regressions=tuple(regressions_in(comparisons, flips, with_excerpts=excerpts)),
        gates=tuple(gates_to_tell(gates, comparisons)),
        unmeasured=tuple(unmeasured_in(comparisons, cells)),
        retirements=tuple(sorted(retirements, key=lambda row: (row.days_left or 0, row.model))),
        events=tuple(events),
        simulated=tuple(simulated),
        excerpts=excerpts,
        report=report,
    )
    return digest if digest.models else None


def regressions_in(
    comparisons: Iterable[Comparison], flips: Iterable[Flip], *, with_excerpts: bool
) -> Iterator[Regression]:
    """Find the cells that got worse, the largest drop first."""
    lost: dict[tuple[str, str], list[Flip]] = {}
    for flip in flips:
        if flip.direction == "lost":
            lost.setdefault((flip.suite, flip.model), []).append(flip)
    regressed = [comparison for comparison in comparisons if comparison.verdict is Verdict.REGRESSED]
    for comparison in sorted(regressed, key=lambda one: (-(one.drop_pp or 0), one.suite, one.model)):
        cases = lost.get((comparison.suite, comparison.model), [])
        shown = tuple(lost_case(flip, with_excerpt=with_excerpts) for flip in islice(cases, CASES_SHOWN))
        yield Regression(comparison=comparison, cases=shown, n_lost=len(cases))


def lost_case(flip: Flip, *, with_excerpt: bool) -> LostCase:
    """Take from a flip what will be shown of it, and no more: digests are kept in files."""
    if not with_excerpt:
        return LostCase(case_id=flip.case_id)
    cut = side_by_side(flip.baseline_output or "", flip.output or "", limit=EXCERPT_UNITS)
    return LostCase(
        case_id=flip.case_id,
        before=None if flip.baseline_output is None else cut.before,
        now=None if flip.output is None else cut.after,
    )


def gates_to_tell(gates: Iterable[GateResult], comparisons: Iterable[Comparison]) -> Iterator[GateResult]:
    """Find the failed gates that say more than the verdict of their cell."""
    verdicts = {(comparison.suite, comparison.model): comparison.verdict for comparison in comparisons}
    for gate in sorted(gates, key=lambda one: (one.suite, one.model, one.gate)):
        told = TOLD_BY_VERDICT.get(gate.gate, "")
        if gate.state == "failed" and verdicts.get((gate.suite, gate.model)) != told:
            yield gate


def unmeasured_in(comparisons: Sequence[Comparison], cells: Iterable[Cell]) -> Iterator[Unmeasured]:
    """Find the cells that could not be measured: also those that others are compared with."""
    for one in comparisons:
        if one.verdict is Verdict.UNMEASURED:
            yield Unmeasured(suite=one.suite, model=one.model, reason=one.cause)
    compared = {(one.suite, one.model) for one in comparisons}
    for cell in cells:
        if cell.verdict is Verdict.UNMEASURED and (cell.suite, cell.model) not in compared:
            reason = f"{cell.n_measured} of {cell.n_cases} cases were measured"
            yield Unmeasured(suite=cell.suite, model=cell.model, reason=reason)
