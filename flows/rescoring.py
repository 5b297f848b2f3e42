"""Score a baseline's stored outputs again, so that a change of label or scorer never looks like a change of model."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from flows.run import Run
from tasks.datasets.stored import read_stored
from tasks.plan import stored_cases
from tasks.records import Answer, CallStatus, Case, Suite
from tasks.scoring.build import Scorer, build_scorers, outcome_of, score_all
from tasks.storage import reads
from tasks.storage.counts import PairedCounts, Side
from tasks.storage.reads import Output

SCOREABLE = {CallStatus.ANSWERED, CallStatus.REFUSED_BY_PROVIDER}


def rescored(run: Run, suite: Suite, base: Side, counts: PairedCounts) -> PairedCounts:
    """The pairs with the baseline's side as tonight's labels and scorers see it."""
    scorers_changed = base.run_id != run.id and scorers_of(run, suite, base) != suite.scorers_hash
    stale = counts.case_ids if scorers_changed else counts.case_ids[~counts.same_label]
    if not len(stale):
        return counts
    passed, measured = score_again(run, suite, base, set(stale))
    run.notes.append(
        f"{suite.name}: {'the scorers' if scorers_changed else f'{len(stale)} labels'} changed since {base.run_id}; "
        "its stored outputs were scored again"
    )
    ids = counts.case_ids
    again = np.isin(ids, list(stale))
    return replace(
        counts,
        base_passed=np.where(again, np.array([passed[id] for id in ids]), counts.base_passed),
        base_measured=np.where(again, np.array([measured[id] for id in ids]), counts.base_measured),
    )


def scorers_of(run: Run, suite: Suite, base: Side) -> str | None:
    """The hash of the scorers that the baseline's cell was scored by."""
    cells = reads.cells_of(run.results, base.run_id)
    return next((cell.scorers_hash for cell in cells if (cell.suite, cell.model) == (suite.name, base.model)), None)


def score_again(run: Run, suite: Suite, base: Side, ids: Collection[str]) -> tuple[Counter[str], Counter[str]]:
    """Passed and measured trials of each case, by tonight's scorers."""
    scorers = build_scorers(suite)
    cases = {
        case.id: case for case in read_stored(stored_cases(run.results, suite), 0, suite.n_cases) if case.id in ids
    }
    passed, measured = Counter[str](), Counter[str]()
    for output in reads.outputs(run.results, base.run_id, suite.name, base.model, base.phases, case_ids=list(ids)):
        outcome = outcome_again(scorers, cases[output.case_id], output)
        measured[output.case_id] += outcome != "unmeasured"
        passed[output.case_id] += outcome == "passed"
    return passed, measured


def outcome_again(scorers: Sequence[Scorer], case: Case, output: Output) -> str:
    """What a stored output counts as now."""
    if output.status not in SCOREABLE:
        return "unmeasured"
    refused = output.status == CallStatus.REFUSED_BY_PROVIDER
    answer = Answer(output.output or "", output.finish_reason, refused)
    return outcome_of(score_all(scorers, answer, case))[0]
