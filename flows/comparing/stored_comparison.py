"""One stored run against another: nothing is called, and nothing is written."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from flows.comparing.causes import with_cause
from flows.comparing.pairing import paired
from flows.judges.rescoring import without
from flows.planning.prepared import read_config, read_suites
from flows.requests import CompareRequest
from flows.result import RunResult
from tasks.config import RUN_ID
from tasks.documents import ConfigFile
from tasks.errors import UsageError
from tasks.lifecycle.causes import Factor
from tasks.records import Cell, Comparison, Suite
from tasks.storage import reads
from tasks.storage.counts import Side, paired_counts
from tasks.verdicts.decide import Decided, decide
from tasks.verdicts.evidence import FreshTrial, open_case, with_fresh

ALIKE = (Factor.DATASET,)
"""Cases that changed are left out; answers stay scored as they were, so scorers and judges may be the cause."""


class Pair(NamedTuple):
    """A cell of the candidate's run, and the one that it is compared with."""

    suite: Suite
    base: Cell
    cell: Cell


def is_stored(request: CompareRequest) -> bool:
    """Whether the candidate is a run."""
    return RUN_ID.fullmatch(request.candidate) is not None


def compare_stored(request: CompareRequest) -> RunResult:
    """Compare the cells of one run with those of another; raises UsageError where there are none."""
    if request.prompt or request.params or request.api_base or not RUN_ID.fullmatch(request.baseline or ""):
        message = f"expected a run as --baseline, and nothing to ask, with the run {request.candidate} as candidate"
        raise UsageError.single(message, hint="`daybreak runs` lists the runs")
    file = read_config(request)
    pairs = list(pairs_of(file, read_suites(file, request.suites), request.candidate, str(request.baseline)))
    if not pairs:
        raise UsageError.single(
            f"expected cells of the same suite and model in {request.candidate} and {request.baseline}"
        )
    return RunResult(
        run_id=request.candidate,
        flow="compare",
        status="finished",
        calls=0,
        cost_usd=0.0,
        cells=tuple(pair.cell for pair in pairs),
        comparisons=tuple(compared(file, pair) for pair in pairs),
    )


def pairs_of(file: ConfigFile, suites: Sequence[Suite], candidate: str, baseline: str) -> Iterator[Pair]:
    """The cells that both runs have; a run with one model on a suite is compared with whatever the other has there."""
    before = reads.cells_of(file.results, baseline)
    for cell in reads.cells_of(file.results, candidate):
        suite = next((suite for suite in suites if suite.name == cell.suite), None)
        there = [one for one in before if one.suite == cell.suite]
        same = [one for one in there if one.model == cell.model] or (there if len(there) == 1 else [])
        if suite and same:
            yield Pair(suite, same[0], cell)


def compared(file: ConfigFile, pair: Pair) -> Comparison:
    """Judge one pair by the trials that are stored, those that confirmed it included."""
    base, side = (Side((one.run_id,), one.model, dataset_hash=one.dataset_hash) for one in (pair.base, pair.cell))
    counts = paired_counts(file.results, pair.suite.name, base=base, side=side)
    counts = without(counts, ~counts.same_label)
    opened = open_case(paired(counts, pair.cell.trials), kinds=counts.kinds.tolist(), tags=counts.tags.tolist())
    fresh = reads.fresh_trials(file.results, pair.cell.run_id, pair.suite.name, pair.cell.model)
    judged = decide(with_fresh(opened, (FreshTrial(*one) for one in fresh)), pair.suite.config.gate, may_ask=False)
    assert isinstance(judged, Decided), "nothing more may be asked"  # noqa: S101
    comparison = Comparison(
        run_id=pair.cell.run_id,
        suite=pair.suite.name,
        model=pair.cell.model,
        verdict=judged.verdict,
        cause=judged.cause,
        baseline_run_id=pair.base.run_id,
        baseline_model=pair.base.model,
        baseline_run_ids=(pair.base.run_id,),
        n_paired=judged.n_paired,
        n_cases=pair.cell.n_cases,
        baseline_pass_rate=judged.baseline_pass_rate,
        pass_rate=judged.pass_rate,
        drop_pp=judged.drop_pp,
        ci_low_pp=judged.interval.low if judged.interval else None,
        ci_high_pp=judged.interval.high if judged.interval else None,
        p_value=judged.p_value,
        detectable_drop_pp=judged.detectable_drop_pp,
    )
    found = with_cause(comparison, pair.base, pair.cell, alike=ALIKE, options=file.options)
    return found if file.config.model_named(pair.cell.model) else replace(found, commands=())
