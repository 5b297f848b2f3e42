"""What a report shows: records of one run, put together by the flow that made them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tasks.records import (
    Calibration,
    Cell,
    Comparison,
    Correction,
    Flip,
    GateResult,
    Interval,
    Lifespan,
    Run,
    StoredCase,
    Suite,
)


class UnmeasuredReason(NamedTuple):
    """Why some trials of a cell could not be measured."""

    suite: str
    model: str
    reason: str
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRate:
    """The pass rate of a cell on the cases of one kind, as a share; None where none of them was measured."""

    suite: str
    model: str
    kind: str
    n_cases: int
    n_measured: int
    pass_rate: float | None
    interval: Interval | None
    baseline_pass_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """Everything that the page of a run shows; the same page gives the same bytes.

    `whole` says that nothing of the config was left out on request; `costs` is what the run's USD went to. `suites` are
    those of the run's plan, none where it is lost. `cases` holds the flipped cases by suite and case id; a flip whose
    case is not known shows its outputs alone. `simulated` names the models and judges whose answers were made up;
    `uncalibrated` says in words which judges have no calibration that counts, `trends` how J went over time.
    """

    run: Run
    whole: bool = True
    costs: Mapping[str, float | None] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    gates: tuple[GateResult, ...] = ()
    flips: tuple[Flip, ...] = ()
    cases: Mapping[tuple[str, str], StoredCase] = field(default_factory=dict)
    suites: tuple[Suite, ...] = ()
    unmeasured: tuple[UnmeasuredReason, ...] = ()
    kinds: tuple[KindRate, ...] = ()
    retirements: tuple[Lifespan, ...] = ()
    notes: tuple[str, ...] = ()
    simulated: tuple[str, ...] = ()
    uncalibrated: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    trends: tuple[str, ...] = ()


def anchor(suite: str, model: str, case_id: str | None = None) -> str:
    """Where on the page a cell (or one of its flips) stands: the same in every run, so that messages can link to it."""
    names = (suite, model) if case_id is None else (suite, model, case_id)
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{'cell' if case_id is None else 'flip'}-{digest[:12]}"
