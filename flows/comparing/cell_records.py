"""Records of a judged cell, put together from what the stages found."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flows.comparing.conditions import conditions_of
from flows.run import OpenCase, Run
from tasks.plan import PlannedCell
from tasks.records import Cell, Comparison, Flip, GateResult, OutcomeState, Phase, Suite, Verdict
from tasks.reports.page import SliceRate
from tasks.storage import reads
from tasks.storage.counts import CellTotals, Side, TrialCounts
from tasks.storage.reads import TellingOutput
from tasks.verdicts.compare import Judged, too_few
from tasks.verdicts.decide import Decided
from tasks.verdicts.evidence import Evidence
from tasks.verdicts.flips import Direction, flips
from tasks.verdicts.gates import GateCheck, check_cost, check_p95, check_pass_rate
from tasks.verdicts.population import population_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

TONIGHTS_PHASES: tuple[Phase, ...] = ("planned", "confirm")
BEFORE: Mapping[Direction, OutcomeState] = {"lost": "passed", "gained": "failed"}
NOW: Mapping[Direction, OutcomeState] = {"lost": "failed", "gained": "passed"}
"""What an answer that shows a flip counts as, on either side."""

MOST_TAGS = 20
"""Of a suite, the most frequent ones are rated by themselves."""


def cell_record(
    run: Run,
    suite: Suite,
    planned: PlannedCell,
    total: CellTotals | None,
    counts: TrialCounts | None,
    verdict: Verdict | None,
) -> Cell:
    """A cell; figures are None where nothing was measured."""
    rate = population_rate(counts.passed, counts.measured, counts.groups.tolist()) if counts else None
    model = run.config.model_named(planned.model)
    return Cell(
        run_id=run.id,
        suite=suite.name,
        model=planned.model,
        dataset_hash=suite.dataset_hash,
        prompt_hash=suite.prompt_hash,
        scorers_hash=suite.scorers_hash,
        params_hash=planned.params_hash,
        n_cases=suite.n_cases,
        n_measured=total.n_measured if total else 0,
        trials=planned.trials,
        pass_rate=rate.value if rate else None,
        ci_low=rate.interval.low if rate else None,
        ci_high=rate.interval.high if rate else None,
        p50_ms=total.p50_ms if total else None,
        p95_ms=total.p95_ms if total else None,
        cost_usd=total.cost_usd if total else None,
        judge_cost_usd=total.judge_cost_usd if total else None,
        cost_per_action_usd=per_action(total),
        verdict=verdict,
        covered=total is not None and too_few(total.n_measured, suite.n_cases, suite.config.gate) is None,
        simulated=bool(model and model.is_rehearsal),
        **conditions_of(run, suite, planned, total)._asdict(),
    )


def per_action(total: CellTotals | None) -> float | None:
    """USD that one answered question costs, judges not included."""
    return total.cost_usd / total.trials if total and total.cost_usd is not None and total.trials else None


class Rated(NamedTuple):
    """The trials that a cell's rates are of, by case: passes and measured ones of tonight, and of the baseline."""

    passed: "NDArray[np.int64]"
    measured: "NDArray[np.int64]"
    base_passed: "NDArray[np.int64]"
    base_measured: "NDArray[np.int64]"
    kinds: "NDArray[np.object_]"
    tags: "NDArray[np.object_]"
    groups: "NDArray[np.object_]"


def rated_of(counts: TrialCounts, evidence: Evidence | None) -> Rated:
    """All cases as planned; where there is a baseline the paired cases alone, with the fresh trials that each had."""
    if evidence is None:
        nothing = np.zeros_like(counts.passed)
        return Rated(counts.passed, counts.measured, nothing, nothing, counts.kinds, counts.tags, counts.groups)
    paired = evidence.after(evidence.had_by(None)).measured_on_both_sides()
    at = np.searchsorted(counts.case_ids.astype(str), np.array(paired.case_ids, dtype=str))
    return Rated(
        passed=paired.passed,
        measured=paired.measured,
        base_passed=paired.base_passed,
        base_measured=paired.base_measured,
        kinds=counts.kinds[at],
        tags=counts.tags[at],
        groups=counts.groups[at],
    )


def comparison_record(
    run: Run,
    suite: Suite,
    planned: PlannedCell,
    judged: Judged,
    base: Side | None = None,
    rated: Rated | None = None,
) -> Comparison:
    """What the verdict says, with what it rests on."""
    rate = population_rate(rated.passed, rated.measured, rated.groups.tolist()) if rated else None
    of_scoring = run.scoring_drops_pp.get((suite.name, base)) if base and judged.drop_pp is not None else None
    return Comparison(
        run_id=run.id,
        suite=suite.name,
        model=planned.model,
        verdict=judged.verdict,
        cause=judged.cause + ("" if of_scoring is None else movement(judged.drop_pp, of_scoring)),
        baseline_run_id=(planned.baseline.run_id or run.id) if base and planned.baseline else None,
        baseline_model=base.model if base else None,
        baseline_run_ids=tuple(base.run_ids) if base else (),
        n_paired=judged.n_paired,
        n_cases=suite.n_cases,
        baseline_pass_rate=judged.baseline_pass_rate,
        pass_rate=judged.pass_rate,
        drop_pp=judged.drop_pp,
        ci_low_pp=judged.interval.low if judged.interval else None,
        ci_high_pp=judged.interval.high if judged.interval else None,
        p_value=judged.p_value,
        detectable_drop_pp=judged.detectable_drop_pp,
        raw_drop_pp=None if of_scoring is None or judged.drop_pp is None else judged.drop_pp + of_scoring,
        scoring_drop_pp=of_scoring,
        trials=planned.trials + (judged.fresh_trials if isinstance(judged, Decided) else 0),
        rate_ci_low=rate.interval.low if rate else None,
        rate_ci_high=rate.interval.high if rate else None,
        **(evidence_beside(judged) if isinstance(judged, Decided) else {}),
    )


def movement(drop_pp: float | None, of_scoring_pp: float) -> str:
    """How a raw movement divides, in words; none where nothing moved."""
    raw = (drop_pp or 0.0) + of_scoring_pp
    if round(abs(raw), 1) == round(abs(of_scoring_pp), 1) == 0:
        return ""
    return (
        f"; of a raw drop of {raw:+.1f} pp, {of_scoring_pp:+.1f} pp came from how answers are scored now (the same "
        f"outputs, judged again) and {drop_pp or 0.0:+.1f} pp from the model"
    )


def evidence_beside(decided: Decided) -> dict[str, Any]:
    """What is told beside a verdict."""
    return {
        "lost": decided.churn.lost,
        "gained": decided.churn.gained,
        "fresh_trials": decided.fresh_trials,
        "night_sd_pp": decided.night_sd_pp,
    }


def gate_records(run: Run, suite: Suite, planned: PlannedCell, rated: Rated) -> Iterator[GateResult]:
    """The gates that a suite sets for a cell by itself, its pass rate being the one that is shown of it."""
    gate = suite.config.gate
    figures = []
    if gate.p95_ms is not None or gate.max_cost_per_action_usd is not None:
        figures = reads.call_figures(run.results, run.id, suite.name, planned.model)
    checks: dict[str, tuple[float, GateCheck]] = {}
    if gate.min_pass_rate is not None:
        check = check_pass_rate(rated.passed, rated.measured, rated.groups.tolist(), limit=gate.min_pass_rate)
        checks["min_pass_rate"] = gate.min_pass_rate, check
    if gate.p95_ms is not None:
        latencies = [] if (suite.name, planned.model) in run.unreliable_latency else [ms for ms, _ in figures]
        checks["p95_ms"] = gate.p95_ms, check_p95(latencies, limit=gate.p95_ms)
    if gate.max_cost_per_action_usd is not None:
        check = check_cost([cost for _, cost in figures], limit=gate.max_cost_per_action_usd)
        checks["max_cost_per_action_usd"] = gate.max_cost_per_action_usd, check
    for name, (limit, found) in checks.items():
        yield GateResult(
            run_id=run.id,
            suite=suite.name,
            model=planned.model,
            gate=name,
            limit_value=limit,
            value=found.value,
            ci_low=found.interval.low if found.interval else None,
            ci_high=found.interval.high if found.interval else None,
            state=found.state,
        )


def slice_rates(suite: Suite, planned: PlannedCell, counts: TrialCounts, rated: Rated) -> Iterator[SliceRate]:
    """The pass rate on each kind of case (accuracy and each failure mode), and on the most frequent tags."""
    frequent = sorted(suite.tags, key=lambda tag: (-suite.tags[tag], tag))[:MOST_TAGS]
    for kind, n_cases in suite.kinds.items():
        yield slice_rate(planned, f"kind {kind}", n_cases, counts, rated, counts.kinds == kind, rated.kinds == kind)
    for tag in frequent:
        yield slice_rate(
            planned, f"tag {tag}", suite.tags[tag], counts, rated, have(tag, counts.tags), have(tag, rated.tags)
        )


def have(tag: str, tags: "NDArray[np.object_]") -> "NDArray[np.bool_]":
    """Which cases have a tag."""
    return np.fromiter((tag in (of_case or ()) for of_case in tags), dtype=np.bool_, count=len(tags))


def slice_rate(
    planned: PlannedCell,
    name: str,
    n_cases: int,
    counts: TrialCounts,
    rated: Rated,
    asked: "NDArray[np.bool_]",
    inside: "NDArray[np.bool_]",
) -> SliceRate:
    """The pass rate of the cases that are `inside` a slice of the rated ones; `asked` are those of all cases."""
    rate = population_rate(rated.passed[inside], rated.measured[inside], rated.groups[inside].tolist())
    before = population_rate(rated.base_passed[inside], rated.base_measured[inside])
    return SliceRate(
        suite=planned.suite,
        model=planned.model,
        slice=name,
        n_cases=n_cases,
        n_measured=int((counts.measured[asked] > 0).sum()),
        pass_rate=rate.value if rate else None,
        interval=rate.interval if rate else None,
        baseline_pass_rate=before.value if before else None,
    )


def flip_records(run: Run, planned: PlannedCell, case: OpenCase) -> Iterator[Flip]:
    """The cases whose outcome changed, with an answer of either side that shows it."""
    flipped = flips(case.evidence.after(case.evidence.had_by(None)))
    if not flipped:
        return
    of_base = telling_outputs(run, planned.suite, case.base, {case_id: BEFORE[way] for case_id, way in flipped})
    tonight = Side((run.id,), planned.model, TONIGHTS_PHASES)
    of_now = telling_outputs(run, planned.suite, tonight, {case_id: NOW[way] for case_id, way in flipped})
    for case_id, direction in flipped:
        shown, shown_now = of_base.get(case_id), of_now.get(case_id)
        yield Flip(
            run_id=run.id,
            suite=planned.suite,
            model=planned.model,
            baseline_run_id=shown.run_id if shown else case.base.run_ids[0],
            case_id=case_id,
            direction=direction,
            baseline_output=shown.output if shown else None,
            output=shown_now.output if shown_now else None,
            baseline_reason=shown.reason if shown else None,
            reason=shown_now.reason if shown_now else None,
        )


def telling_outputs(run: Run, suite: str, side: Side, wanted: Mapping[str, OutcomeState]) -> dict[str, TellingOutput]:
    """An answer of one side to each of some cases."""
    return reads.telling_outputs(run.results, side.run_ids, suite, side.model, side.phases, wanted)
