"""What a report shows: records of one run, put together by the flow that made them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tasks.records import (
    Calibration,
    Cell,
    Comparison,
    Correction,
    Event,
    Flip,
    GateResult,
    Interval,
    Lifespan,
    Run,
    StoredCase,
    Suite,
    Verdict,
)


class UnmeasuredReason(NamedTuple):
    """Why some trials of a cell could not be measured."""

    suite: str
    model: str
    reason: str
    trials: int


class LatencyBin(NamedTuple):
    """How many answers to a cell's own trials took from so many milliseconds up to so many."""

    suite: str
    model: str
    low_ms: float
    high_ms: float
    calls: int


class CallCount(NamedTuple):
    """Calls of a cell that were made for one purpose and ended in one way; sums are None where nothing is known."""

    suite: str
    model: str
    role: str
    phase: str
    status: str
    calls: int
    requests: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None


class Version(NamedTuple):
    """A version that a model was served as, and when."""

    model: str
    served_model: str | None
    system_fingerprint: str | None
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCell:
    """A cell as it was in one night, or is tonight: what trends are drawn from. Rates are shares."""

    suite: str
    model: str
    run_id: str
    started_at: datetime
    verdict: Verdict | None
    pass_rate: float | None
    ci_low: float | None
    ci_high: float | None
    n_measured: int
    p95_ms: float | None
    cost_usd: float | None
    judge_cost_usd: float | None
    cost_per_action_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRate:
    """The pass rate of a cell on the cases of one kind or tag ("kind refusal", "tag billing"), as a share.

    None where none of them was measured.
    """

    suite: str
    model: str
    slice: str
    n_cases: int
    n_measured: int
    pass_rate: float | None
    interval: Interval | None
    baseline_pass_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """Everything that the pages of a run show; the same page gives the same bytes.

    `whole` says that nothing of the config was left out on request; `candidate` are the options
    that ask for a comparison's candidate, `options` those that end every command.
    `costs` is what the run's USD went to. `suites` are
    those of the run's plan, none where it is lost. `cases` holds the flipped cases by suite and case id; a flip whose
    case is not known shows its outputs alone. `simulated` names the models and judges whose answers were made up;
    `uncalibrated` says in words which judges have no calibration that counts, `trends` how J went over time.
    `history` holds every cell in its latest nights, oldest first, tonight's last; `nights` are the runs of the flow
    nightly, newest first, as are `events`, which are those of all runs; `reported` are the runs that have pages.
    """

    run: Run
    whole: bool = True
    candidate: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    costs: Mapping[str, float | None] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    gates: tuple[GateResult, ...] = ()
    flips: tuple[Flip, ...] = ()
    cases: Mapping[tuple[str, str], StoredCase] = field(default_factory=dict)
    suites: tuple[Suite, ...] = ()
    unmeasured: tuple[UnmeasuredReason, ...] = ()
    slices: tuple[SliceRate, ...] = ()
    retirements: tuple[Lifespan, ...] = ()
    notes: tuple[str, ...] = ()
    simulated: tuple[str, ...] = ()
    uncalibrated: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    trends: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    versions: tuple[Version, ...] = ()
    history: tuple[PastCell, ...] = ()
    nights: tuple[Run, ...] = ()
    latencies: tuple[LatencyBin, ...] = ()
    calls: tuple[CallCount, ...] = ()
    reported: frozenset[str] = frozenset()


def anchor(suite: str, model: str, case_id: str | None = None) -> str:
    """Where on the page a cell (or one of its flips) stands: the same in every run, so that messages can link to it."""
    names = (suite, model) if case_id is None else (suite, model, case_id)
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{'cell' if case_id is None else 'flip'}-{digest[:12]}"
