"""What came of the trials of a cell, summed up by SQL: figures per cell, and arrays by case.

Every function takes the results folder, opens the warehouse for the question and closes it again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.records import Phase
from tasks.storage.sql_files import sql
from tasks.storage.warehouse import Warehouse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OWN_PHASES: tuple[Phase, ...] = ("planned", "baseline")
"""The trials that a cell's figures are made of; those asked to confirm or to probe are not."""

CASES_PER_PIECE, ROWS_AT_ONCE = 20_000, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTotals:
    """Sums over a cell's own trials.

    `n_measured` counts the cases with at least one measured trial, `calls` all requests to models and judges.
    Latencies are of answered calls to the model. A cost is None where the price of any answer is unknown;
    `unknown_costs` counts those. `truncated` counts the answers that ended at the token limit. `params` is JSON of what
    was sent with each call.
    """

    suite: str
    model: str
    n_cases: int
    n_measured: int
    trials: int
    measured_trials: int
    passed_trials: int
    calls: int
    p50_ms: float | None
    p95_ms: float | None
    cost_usd: float | None
    judge_cost_usd: float | None
    unknown_costs: int
    unknown_judge_costs: int
    truncated: int
    served_models: Sequence[str]
    fingerprints: Sequence[str]
    params: str | None


class Side(NamedTuple):
    """One side of a comparison: trials of a model in some runs, which saw the same cases.

    Without `dataset_hash`, it is that of the runs' stored cells.
    """

    run_ids: Sequence[str]
    model: str
    phases: Sequence[Phase] = OWN_PHASES
    dataset_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCounts:
    """How many trials of each case were measured and passed, by case id.

    Arrays of equal length. What is known of a case is None where its dataset is not stored.
    """

    case_ids: "NDArray[np.object_]"
    passed: "NDArray[np.int64]"
    measured: "NDArray[np.int64]"
    kinds: "NDArray[np.object_]"
    tags: "NDArray[np.object_]"
    groups: "NDArray[np.object_]"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedCounts:
    """The same cases on two sides, by case id: trials measured and passed on each.

    Arrays of equal length. `same_label` is False where only what is expected changed. `n_base_cases` and `n_cases` are
    all cases of either side, of which these are the unchanged ones. `tags` holds tuples of text.
    """

    case_ids: "NDArray[np.object_]"
    base_passed: "NDArray[np.int64]"
    base_measured: "NDArray[np.int64]"
    passed: "NDArray[np.int64]"
    measured: "NDArray[np.int64]"
    same_label: "NDArray[np.bool_]"
    kinds: "NDArray[np.object_]"
    tags: "NDArray[np.object_]"
    groups: "NDArray[np.object_]"
    n_base_cases: int
    n_cases: int


TRIAL_COUNTS = {"case_ids": str, "passed": int, "measured": int, "kinds": object, "tags": object, "groups": object}
PAIRED_COUNTS = {
    "case_ids": str,
    "base_passed": int,
    "base_measured": int,
    "passed": int,
    "measured": int,
    "same_label": bool,
    "kinds": object,
    "tags": object,
    "groups": object,
}
"""The columns of the two queries, in their order; of those called objects, many rows hold equal ones."""


def cell_totals(results: Path, run_id: str) -> list[CellTotals]:
    """Sum up every cell of a run."""
    table = Warehouse(results).table(sql("select_cell_totals"), {"run_id": run_id})
    return [CellTotals(**row) for row in table.to_pylist()]


def trial_counts(results: Path, suite: str, side: Side) -> TrialCounts:
    """Count the trials of each case of a cell."""
    cases = count_cases(results, suite, side)
    parameters = {"suite": suite, **parameters_of(side)}
    return TrialCounts(**arrays_by_case(results, "select_trial_counts", parameters, TRIAL_COUNTS, cases=cases))


def paired_counts(results: Path, suite: str, *, base: Side, side: Side) -> PairedCounts:
    """Count the trials of each case that both sides have unchanged."""
    of_base = {f"base_{name}": value for name, value in parameters_of(base).items()}
    both = {"suite": suite, **parameters_of(side), **of_base}
    n_base_cases, n_cases = count_cases(results, suite, base), count_cases(results, suite, side)
    arrays = arrays_by_case(results, "select_paired_counts", both, PAIRED_COUNTS, cases=n_cases)
    return PairedCounts(**arrays, n_base_cases=n_base_cases, n_cases=n_cases)


def count_cases(results: Path, suite: str, side: Side) -> int:
    """Count the cases of a cell."""
    parameters = {"suite": suite, **parameters_of(side)}
    del parameters["dataset_hash"]
    [(cases,)] = Warehouse(results).query(sql("count_cases"), parameters)
    return int(cases)


def parameters_of(side: Side) -> dict[str, Any]:
    """A side as queries take it."""
    return {**side._asdict(), "run_ids": list(side.run_ids), "phases": list(side.phases)}


def arrays_by_case(
    results: Path, query: str, parameters: Mapping[str, Any], columns: Mapping[str, type], *, cases: int
) -> dict[str, "NDArray[Any]"]:
    """Ask for the cases of a cell in pieces, so that memory never holds the rows of all; sort them by id."""
    import numpy as np

    pieces = 1 + cases // CASES_PER_PIECE
    shared: dict[Any, Any] = {}
    found = [[array_of((), type_, shared) for type_ in columns.values()]]
    with Warehouse(results).reading() as con:
        for piece in range(pieces):
            answer = con.execute(sql(query), {**parameters, "piece": piece, "pieces": pieces})
            while rows := answer.fetchmany(ROWS_AT_ONCE):
                values = zip(*rows, strict=True)
                found.append([array_of(*column, shared) for column in zip(values, columns.values(), strict=True)])
    whole = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    order = np.argsort(whole[0])
    return {name: column[order] for name, column in zip(columns, whole, strict=True)}


def array_of(values: Iterable[Any], type_: type, shared: dict[Any, Any]) -> "NDArray[Any]":
    """Make an array; equal objects become one."""
    import numpy as np

    if type_ is str:
        return np.fromiter(values, dtype=object)
    if type_ is not object:
        return np.fromiter(values, dtype=type_)
    frozen = (tuple(value) if isinstance(value, list) else value for value in values)
    return np.fromiter((shared.setdefault(value, value) for value in frozen), dtype=object)
