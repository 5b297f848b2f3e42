"""What pages show of a run and of those before it, summed up by SQL so that it stays small.

Every function takes the results folder, opens the warehouse for the question and gives rows as columns by name.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.records import Verdict
from tasks.storage.sql_files import sql
from tasks.storage.warehouse import Warehouse

Row = Mapping[str, Any]

BINS_PER_DECADE = 20
"""Of latencies: each bin is an eighth wider than the one before."""


def history(results: Path, run_id: str, *, most: int) -> list[Row]:
    """The cells of a run in their latest nights, oldest first."""
    return rows(results, "select_history", {"run_id": run_id, "most": most})


def latency_bins(results: Path, run_id: str) -> list[Row]:
    """How long the answers to each cell's own trials took."""
    return rows(results, "select_latency_bins", {"run_id": run_id, "per_decade": float(BINS_PER_DECADE)})


def call_counts(results: Path, run_id: str) -> list[Row]:
    """How the calls of each cell ended, by what they were for."""
    return rows(results, "select_call_counts", {"run_id": run_id})


def verdict_counts(results: Path) -> dict[str, Counter[Verdict]]:
    """How many cells of each run have which verdict."""
    found: dict[str, Counter[Verdict]] = {}
    for run_id, verdict, cells in Warehouse(results).query(sql("select_verdict_counts")):
        found.setdefault(run_id, Counter())[Verdict(verdict)] = cells
    return found


def rows(results: Path, query: str, parameters: Row) -> list[Row]:
    """Rows of one of our own queries."""
    found: list[Row] = Warehouse(results).table(sql(query), parameters).to_pylist()
    return found
