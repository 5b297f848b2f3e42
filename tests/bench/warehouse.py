"""How fast parts come into the warehouse, and how long its questions take as a year of nights fills it.

`python -m tests.bench.warehouse [NIGHTS ...]` (37 122 366: 1, 3.3 and 10 million scores).
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tasks.storage import counts
from tasks.storage.counts import Side
from tasks.storage.reads import model_versions
from tasks.storage.warehouse import Warehouse
from tests.bench.year import NIGHTS, SCORES_PER_NIGHT, run_id, write_cases, write_night

GROWTH = (37, 122, NIGHTS)
ROUNDS = 3
VIEWS_OF_A_RUN = (
    "runs", "cells", "calls", "scores", "outcomes", "comparisons", "gates", "flips",
)  # fmt: skip
TREND = "SELECT started_at, model, pass_rate FROM cells JOIN runs USING (run_id) WHERE suite = 'suite-07' ORDER BY 1"


def main(*growth: int) -> None:
    """Print what came in and how fast, and a column of seconds for each size of the warehouse."""
    sizes = growth or GROWTH
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        results, written = Path(folder), 0
        write_cases(results)
        for nights in sizes:
            written = grow(results, written, nights)
            for name, ask in questions(results, nights - 1).items():
                taken.setdefault(name, []).append(median_of(ask))
    print(
        f"{'seconds with … million scores':36}" + "".join(f"{nights * SCORES_PER_NIGHT / 1e6:8.1f}" for nights in sizes)
    )
    for name, seconds in taken.items():
        print(f"{name:36}" + "".join(f"{each:8.2f}" for each in seconds))


def grow(results: Path, written: int, nights: int) -> int:
    """Write and ingest nights until there are so many; returns how many there are."""
    for night in range(written, nights):
        write_night(results, night)
    began = time.perf_counter()
    report = Warehouse(results).ingest()
    seconds = time.perf_counter() - began
    scores = (nights - written) * SCORES_PER_NIGHT
    print(
        f"ingest of {nights - written} nights: {seconds:.1f} s, {scores / seconds:,.0f} score rows/s with their calls "
        f"and outcomes ({report.rows / seconds:,.0f} rows/s in all)"
    )
    return nights


def questions(results: Path, newest: int) -> Mapping[str, Callable[[], Any]]:
    """What is asked: the newest night of each view, one comparison, the trend of a suite."""
    warehouse, newest_run = Warehouse(results), run_id(newest)

    def of_run(view: str) -> Callable[[], Any]:
        return lambda: warehouse.table(f"SELECT * FROM {view} WHERE run_id = $run_id", {"run_id": newest_run})

    asked: dict[str, Callable[[], Any]] = {f"{view}, newest night": of_run(view) for view in VIEWS_OF_A_RUN}
    asked["cases of a suite"] = lambda: warehouse.table("SELECT * FROM cases WHERE suite = 'suite-07'")
    asked["model_versions"] = lambda: model_versions(results)
    asked["baselines, incidents, retirements"] = lambda: [
        warehouse.table(f"SELECT * FROM {view}") for view in ("baselines", "incidents", "retirements")
    ]
    asked["totals of the newest night"] = lambda: counts.cell_totals(results, newest_run)
    asked["one comparison's pairs"] = lambda: paired(results, run_id(0), newest_run)
    asked["trend of one suite over the year"] = lambda: warehouse.table(TREND)
    return asked


def paired(results: Path, baseline: str, run: str) -> Any:
    """The counts of one cell beside those of its baseline."""
    cell = {"base": Side(baseline, "model-1"), "side": Side(run, "model-1")}
    return counts.paired_counts(results, "suite-07", **cell)


def median_of(ask: Callable[[], Any]) -> float:
    """The median of some turns, in seconds."""

    def turn() -> float:
        began = time.perf_counter()
        ask()
        return time.perf_counter() - began

    return statistics.median(turn() for _ in range(ROUNDS))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
