"""Bring both sides of a comparison together, case by case."""

from dataclasses import replace

from flows.comparing.conditions import judges_of
from flows.judges.rescoring import rescored
from flows.judges.trust import refusal
from flows.run import OpenCase, Run
from tasks.plan import Baseline, PlannedCell
from tasks.records import Setting, Suite
from tasks.storage import reads
from tasks.storage.counts import PairedCounts, Side, paired_counts
from tasks.verdicts.compare import Paired
from tasks.verdicts.drift import Drift
from tasks.verdicts.evidence import FreshTrial, open_case, with_fresh


def case_of(run: Run, planned: PlannedCell) -> OpenCase | str:
    """What is known of a cell that has a baseline by now, or why it cannot be compared."""
    key = planned.suite, planned.model
    if key not in run.opened:
        run.opened[key] = opened_case(run, run.plan.suite_named(planned.suite), planned)
    opened = run.opened[key]
    if isinstance(opened, str):
        return opened
    fresh = reads.fresh_trials(run.results, run.id, *key)
    evidence = with_fresh(opened.evidence, (FreshTrial(*trial) for trial in fresh)) if fresh else opened.evidence
    return replace(opened, evidence=evidence)


def opened_case(run: Run, suite: Suite, planned: PlannedCell) -> OpenCase | str:
    """Both sides as planned, scored by the same trusted judges and scorers and labels, or why that cannot be."""
    if planned.baseline is None:
        raise ValueError(f"{planned.suite} on {planned.model} has nothing to be compared with")
    if reason := refusal(run.standings_of(suite)):
        return reason
    base = base_side(run, suite, planned.baseline)
    found = paired_counts(run.results, suite.name, base=base, side=this_side(run, suite, planned))
    counts = rescored(run, suite, base, found)
    if isinstance(counts, str):
        return counts
    pairs = paired(counts, planned.trials, same_run=planned.baseline.run_id is None)
    return OpenCase(
        base=base,
        evidence=open_case(
            pairs,
            kinds=counts.kinds.tolist(),
            tags=counts.tags.tolist(),
            min_coverage=suite.config.gate.min_coverage,
        ),
        drift=Drift(planned.baseline.variance, planned.baseline.concentration),
        forced=has_moved(run, planned, planned.baseline),
    )


def has_moved(run: Run, planned: PlannedCell, baseline: Baseline) -> bool:
    """Whether a version answers tonight that did not answer for the baseline, nor on any night since."""
    if planned.model != baseline.model or not baseline.known_models:
        return False
    return bool(set(run.served_models(planned.suite, planned.model)) - set(baseline.known_models))


def paired(counts: PairedCounts, trials: int, *, same_run: bool = False) -> Paired:
    """The pairs as verdicts take them."""
    return Paired(
        case_ids=counts.case_ids.tolist(),
        base_passed=counts.base_passed,
        base_measured=counts.base_measured,
        passed=counts.passed,
        measured=counts.measured,
        n_cases=counts.n_cases,
        n_base_cases=counts.n_base_cases,
        trials=trials,
        same_run=same_run,
    )


def this_side(run: Run, suite: Suite, planned: PlannedCell) -> Side:
    """Tonight's trials of a cell."""
    return Side((run.id,), planned.model, dataset_hash=suite.dataset_hash)


def base_side(run: Run, suite: Suite, baseline: Baseline) -> Side:
    """The trials that a cell is compared with; a reference's stored nights only if it is still what it was on them."""
    if baseline.run_id is not None:
        return Side(baseline.nights, baseline.model)
    same = baseline.setting == setting_tonight(run, suite, baseline)
    return Side((*(baseline.nights if same else ()), run.id), baseline.model, dataset_hash=suite.dataset_hash)


def setting_tonight(run: Run, suite: Suite, reference: Baseline) -> Setting | None:
    """What the trials of a reference were made under in this run."""
    if reference.setting is None:
        return None
    served = run.served_models(suite.name, reference.model)
    return reference.setting._replace(served_models=served, judges=judges_of(run, suite))
