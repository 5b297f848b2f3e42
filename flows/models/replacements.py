"""What may take the place of a model that goes away: measured where both sides are stored, planned where not."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from flows.comparing.pairing import paired
from flows.planning.candidates import Candidate
from flows.planning.estimate import estimate
from flows.planning.prepared import comparison_plan
from tasks.config import ModelConfig
from tasks.documents import ConfigFile
from tasks.lifecycle.claims import Announced, names_of
from tasks.lifecycle.replacement import Advice, Measured, advise
from tasks.records import Cell, Comparison, Suite, WantedComparison
from tasks.storage import reads
from tasks.storage.counts import Side, paired_counts
from tasks.storage.incidents import comparisons_of
from tasks.verdicts.evidence import Evidence, FreshTrial, open_case, with_fresh
from tasks.verdicts.replaceable import replaceable

Cells = Mapping[tuple[str, str], Cell]
"""The latest measured cell of each suite and model."""


def advice_for(
    file: ConfigFile,
    suites: Sequence[Suite],
    model: str,
    *,
    going: frozenset[str],
    announced: Announced | None,
    now: datetime,
) -> tuple[Advice, list[WantedComparison]]:
    """What is known of the config's other models on the suites at risk, and which comparison would tell more."""
    cells = {(cell.suite, cell.model): cell for cell in reads.latest_cells(file.results)}
    others = [one for one in file.config.models if one.name not in going and one.name != model]
    measured = [one for suite in suites for one in measured_on(file, suite, model, others, cells)]
    known = {one.suite for one in measured}
    best = advise([suite.name for suite in suites], measured, ()).replacement
    candidate = candidate_of(others, announced, best)
    missing = [suite for suite in suites if suite.name not in known] if candidate else []
    wanted = [to_measure(file, suite, model, candidate, now=now) for suite in missing if candidate]
    return advise([suite.name for suite in suites], measured, wanted), wanted


def candidate_of(others: Sequence[ModelConfig], announced: Announced | None, best: str | None) -> ModelConfig | None:
    """Whom to compare next: the announced replacement, else the best one elsewhere, else the first that is left."""
    wanted = announced.replacement if announced else None
    named = [one for one in others if wanted in names_of(one)] if wanted else []
    return next(iter([*named, *(one for one in others if one.name == best), *others]), None)


def measured_on(
    file: ConfigFile, suite: Suite, model: str, others: Sequence[ModelConfig], cells: Cells
) -> Iterator[Measured]:
    """The candidates whose stored trials can be compared with the model's: same scorers, and as real as it is."""
    own = cells.get((suite.name, model))
    stored = [cells[suite.name, one.name] for one in others if (suite.name, one.name) in cells]
    fair = [cell for cell in stored if own and is_fair(own, cell)]
    for cell in fair:
        found = replaceable(evidence_of(file, own, cell), suite.config.gate, candidates=len(fair)) if own else None
        if own and found:
            yield Measured(
                suite=suite.name,
                model=cell.model,
                drop_pp=found.drop_pp,
                interval=found.interval,
                holds=found.holds,
                margin_pp=suite.config.gate.max_drop_pp,
                loses=found.loses,
                cost_ratio=ratio(cell.cost_per_action_usd, own.cost_per_action_usd),
                p95_delta_ms=cell.p95_ms - own.p95_ms if cell.p95_ms is not None and own.p95_ms is not None else None,
            )


def is_fair(own: Cell, other: Cell) -> bool:
    """Whether two cells were scored alike, and both are simulated or both real."""
    return (own.scorers_hash, own.judges, own.simulated) == (other.scorers_hash, other.judges, other.simulated)


def evidence_of(file: ConfigFile, own: Cell, other: Cell) -> Evidence:
    """The stored trials of both, paired by case: as they were compared, or else of the latest nights of each."""
    side = Side((other.run_id,), other.model, dataset_hash=other.dataset_hash)
    compared = next((one for one in comparisons_of(file.results, other.run_id) if is_between(one, own, other)), None)
    if compared is None:
        return stored(
            file, own.suite, Side((own.run_id,), own.model, dataset_hash=own.dataset_hash), side, other.trials
        )
    base = Side(compared.baseline_run_ids, own.model, dataset_hash=other.dataset_hash)
    fresh = reads.fresh_trials(file.results, other.run_id, own.suite, other.model)
    planned = stored(file, own.suite, base, side, other.trials)
    return with_fresh(planned, (FreshTrial(*trial) for trial in fresh))


def is_between(comparison: Comparison, own: Cell, other: Cell) -> bool:
    """Whether a comparison told how the other model does in the model's place."""
    names = comparison.suite, comparison.model, comparison.baseline_model
    return names == (own.suite, other.model, own.model) and comparison.drop_pp is not None


def stored(file: ConfigFile, suite: str, base: Side, side: Side, trials: int) -> Evidence:
    """The planned trials of two sides."""
    counts = paired_counts(file.results, suite, base=base, side=side)
    return open_case(paired(counts, trials), kinds=counts.kinds.tolist(), tags=counts.tags.tolist())


def ratio(cost: float | None, of: float | None) -> float | None:
    """How many times as dear."""
    return cost / of if cost is not None and of else None


def to_measure(
    file: ConfigFile, suite: Suite, model: str, candidate: ModelConfig, *, now: datetime
) -> WantedComparison:
    """A comparison to make, with its cost as `daybreak plan` would tell it."""
    plan = comparison_plan(file, [suite], Candidate(candidate, model), now=now)
    costs = [one.cost_usd for one in estimate(file, plan)]
    known = [cost for cost in costs if cost is not None]
    asked = ["--candidate", candidate.name, "--baseline", model, "--suite", suite.name]
    command = shlex.join(["daybreak", "compare", *asked, *file.options])
    return WantedComparison(suite.name, candidate.name, sum(known) if len(known) == len(costs) else None, command)
