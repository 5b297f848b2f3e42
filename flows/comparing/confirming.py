"""Which cells are suspected, and which trials would tell."""

from collections.abc import Iterator

import numpy as np

from flows.comparing.pairing import case_of
from flows.run import Run
from tasks.plan import PlannedCell, Shard, cut
from tasks.storage.warehouse import Warehouse
from tasks.verdicts.decide import MoreTrials, decide
from tasks.verdicts.evidence import Evidence


def shards_to_confirm(run: Run) -> list[Shard]:
    """The fresh trials that the rule of a night wants next, of all cells that it still suspects."""
    found: list[Shard] = []
    for planned in run.plan.cells:
        if planned.baseline:
            with Warehouse(run.results).kept_open():
                found += shards_of(run, planned)
    return found


def shards_of(run: Run, planned: PlannedCell) -> Iterator[Shard]:
    """The next trials of one cell, none where nothing is suspected or nothing can be asked."""
    if (planned.suite, planned.model) in run.broken_cells:
        return
    case, suite = case_of(run, planned), run.plan.suite_named(planned.suite)
    if isinstance(case, str):
        return
    wanted = decide(case.evidence, suite.config.gate, drift=case.drift, forced=case.forced)
    if isinstance(wanted, MoreTrials):
        for first, case_ids in cases_by_next_trial(case.evidence, wanted):
            whole = Shard(
                planned.suite, planned.model, "confirm", 0, suite.n_cases, first, wanted.up_to_trials, case_ids
            )
            yield from cut(whole, workers=run.config.workers)


def cases_by_next_trial(evidence: Evidence, wanted: MoreTrials) -> Iterator[tuple[int, frozenset[str] | None]]:
    """Cases that were asked equally often, with the number of their next fresh trial; None for all of the cell."""
    ids = np.array(evidence.paired.case_ids, dtype=object)
    chosen = np.ones(len(ids), dtype=bool) if wanted.case_ids is None else np.isin(ids, list(wanted.case_ids))
    for asked in np.unique(evidence.asked[chosen]).tolist():
        if asked < wanted.up_to_trials:
            these = ids[chosen & (evidence.asked == asked)].tolist()
            everything = len(these) == evidence.paired.n_cases
            yield asked + 1, None if everything else frozenset(these)
