"""What a plan will take: calls, cost, minutes and the drop it can detect, told before anything is called."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

from flows.planning.judging_estimate import judging_of
from tasks.calls.prices import max_output_tokens, price_of
from tasks.config import ModelConfig
from tasks.datasets.cases import cases_of
from tasks.datasets.templates import Renderer
from tasks.documents import ConfigFile
from tasks.plan import Plan, PlannedCell
from tasks.records import Suite
from tasks.storage import reads
from tasks.storage.counts import Side, trial_counts
from tasks.storage.warehouse import Warehouse
from tasks.verdicts.detectable import detectable_before_baseline_pp, detectable_pp
from tasks.verdicts.drift import Drift

CHARS_PER_TOKEN = 4
SAMPLED_CASES = 50
ASSUMED_LATENCY_S = 2.0
"""Where nothing was measured yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one cell will take at most, judges included, and what it may take beyond that to confirm a suspected drop.

    The costs assume answers as long as they may be; None where a price is unknown. `judge_calls` counts those of
    `calls` that go to judges, if no verdict is known yet.
    """

    suite: str
    model: str
    phase: str
    cases: int
    calls: int
    judge_calls: int
    cost_usd: float | None
    confirm_calls: int
    confirm_cost_usd: float | None
    minutes: float
    detectable_drop_pp: tuple[float, float]
    detectable_is_assumed: bool
    simulated: bool


def estimate(file: ConfigFile, plan: Plan) -> list[Estimate]:
    """Estimate every cell of a plan."""
    with Warehouse(file.results).kept_open():
        return [estimate_cell(file, plan, cell, known_latency_ms(file, cell)) for cell in plan.cells]


def known_latency_ms(file: ConfigFile, cell: PlannedCell) -> float | None:
    """The median latency of the stored baseline."""
    if cell.baseline is None or cell.baseline.run_id is None:
        return None
    stored = reads.cells_of(file.results, cell.baseline.run_id)
    return next((one.p50_ms for one in stored if (one.suite, one.model) == (cell.suite, cell.baseline.model)), None)


def estimate_cell(file: ConfigFile, plan: Plan, cell: PlannedCell, latency_ms: float | None) -> Estimate:
    """Estimate one cell."""
    suite = plan.suite_as_asked(cell)
    [model] = [model for model in file.config.models if model.name == cell.model]
    calls = suite.n_cases * cell.trials
    longest = longest_answer(model, cell)
    judging = judging_of(file.config, suite, cell, answer_tokens=longest)
    known = known_detectable(file, suite, cell)
    in_flight = min(file.config.concurrency, model.limits.concurrency or file.config.concurrency, calls)
    latency_s = (
        latency_ms / 1000 if latency_ms else float(cell.params.get("latency_ms", 1000 * ASSUMED_LATENCY_S)) / 1000
    )
    cost_usd = added(cost_of(model, suite, calls, longest), judging.cost_usd)
    again = suite.config.gate.max_confirm_trials / cell.trials if cell.baseline else 0
    return Estimate(
        suite=cell.suite,
        model=cell.model,
        phase=cell.phase,
        cases=suite.n_cases,
        calls=calls + judging.calls,
        judge_calls=judging.calls,
        cost_usd=cost_usd,
        confirm_calls=round(again * (calls + judging.calls)),
        confirm_cost_usd=None if cost_usd is None else again * cost_usd,
        minutes=calls * latency_s / in_flight / 60,
        detectable_drop_pp=known or detectable_before_baseline_pp(suite.n_cases, suite.config.gate, trials=cell.trials),
        detectable_is_assumed=known is None,
        simulated=model.is_rehearsal,
    )


def longest_answer(model: ModelConfig, cell: PlannedCell) -> int | None:
    """The tokens that an answer of the cell may have, if that is known."""
    longest = cell.params.get("max_tokens") or max_output_tokens(model)
    return longest if isinstance(longest, int) else None


def added(one: float | None, other: float | None) -> float | None:
    """The sum of two costs, of which an unknown one leaves it unknown."""
    return None if one is None or other is None else one + other


def cost_of(model: ModelConfig, suite: Suite, calls: int, longest: int | None) -> float | None:
    """USD for all calls to a cell's model, if each answer is as long as it may be."""
    price = price_of(model)
    if price is None or longest is None:
        return None
    tokens = prompt_tokens(suite)
    return calls * (tokens * price.input_per_million + longest * price.output_per_million) / 1e6


def prompt_tokens(suite: Suite) -> float:
    """Tokens of a mean prompt, guessed from the length of some."""
    renderer = Renderer(suite)
    sizes = [
        sum(len(message["content"]) for message in renderer.messages(case))
        for case in islice(cases_of(suite), SAMPLED_CASES)
    ]
    return sum(sizes) / len(sizes) / CHARS_PER_TOKEN


def known_detectable(file: ConfigFile, suite: Suite, cell: PlannedCell) -> tuple[float, float] | None:
    """The detectable drop that the stored baseline allows, if there is one with repeated trials."""
    base = cell.baseline
    if base is None or not base.nights:
        return None
    counts = trial_counts(file.results, suite.name, Side(base.nights, base.model))
    drift = Drift(base.variance, base.concentration)
    known = detectable_pp(counts.passed, counts.measured, suite.config.gate, trials=cell.trials, drift=drift)
    return known, known


def shortfall(budget_usd: float | None, estimates: Sequence[Estimate]) -> Iterator[str]:
    """Say that a budget may not pay for all that is planned."""
    most_usd = sum(one.cost_usd or 0.0 for one in estimates)
    if budget_usd is not None and budget_usd < most_usd:
        yield f"budget_usd is {budget_usd:g}, the night may cost {most_usd:.2f}: what is not paid for is not asked"


def as_data(estimates: Sequence[Estimate]) -> list[dict[str, object]]:
    """For JSON."""
    return [asdict(estimate) for estimate in estimates]
