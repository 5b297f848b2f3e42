"""A year of nights as Parquet parts, generated: what a warehouse holds that has been in use for long.

Texts differ from case to case, and answers from night to night, so that the files are as large as real ones.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.storage.parts import BATCH_ROWS
from tasks.storage.tables import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

SUITES, MODELS, CASES = 30, 3, 304
SCORES_PER_NIGHT = SUITES * MODELS * CASES
NIGHTS = 366
FIRST = datetime(2025, 11, 22, 2, 0, tzinfo=UTC)
PASS_RATE = 0.85
FLIPS = 10


def run_id(night: int) -> str:
    """The run of a night, counted from 0."""
    return f"run-{FIRST + timedelta(days=night):%Y%m%d-%H%M%S}-year"


def write_cases(results: Path) -> None:
    """Write the cases that all nights ask."""
    for suite in range(SUITES):
        numbers = range(CASES)
        columns = {
            "suite": f"suite-{suite:02}",
            "dataset_hash": f"dataset-{suite:02}",
            "case_id": [f"case-{number:04}" for number in numbers],
            "input": [f'"question {number} of suite {suite}, in a sentence or two"' for number in numbers],
            "expected": [f'"answer {number}"' for number in numbers],
            "kind": "accuracy",
            "tags": [[f"tag-{number % 5}"] for number in numbers],
            "case_hash": [f"{suite:02}-{number:060}" for number in numbers],
            "input_hash": [f"{number:04}-{suite:059}" for number in numbers],
        }
        write(results, "cases", f"suite-{suite:02}", table("cases", columns, CASES))


def write_night(results: Path, night: int) -> None:
    """Write the parts of one night."""
    generator = np.random.default_rng(night)
    for name, columns, rows in night_tables(night, generator):
        write(results, name, run_id(night), table(name, columns, rows))


def night_tables(night: int, generator: np.random.Generator) -> Iterator[tuple[str, Mapping[str, Any], int]]:
    """The columns of each table of facts that a night writes, and how many rows."""
    began = FIRST + timedelta(days=night)
    passed = generator.random(SCORES_PER_NIGHT) < PASS_RATE
    trials: dict[str, Any] = {"run_id": run_id(night), **trial_columns(), "trial": 1, "phase": "planned"}
    answers = [f"the answer is number {number}, as was asked" for number in generator.integers(10**9, size=len(passed))]
    calls = {
        "role": "model", "requested_model": "openai/some-model", "served_model": f"some-model-{night // 120}",
        "system_fingerprint": f"fp_{night // 30}", "prompt_hash": "0" * 64, "params": "{}", "attempts": 1,
        "status": "answered", "started_at": began, "prompt_tokens": 120, "completion_tokens": 20,
        "latency_ms": generator.gamma(4, 100, SCORES_PER_NIGHT), "cost_usd": 0.0001, "finish_reason": "stop",
        "output": answers,
    }  # fmt: skip
    yield "calls", trials | calls, SCORES_PER_NIGHT
    yield "scores", trials | {"scorer": "exact", "passed": passed, "reason": ""}, SCORES_PER_NIGHT
    yield "outcomes", trials | {"outcome": np.where(passed, "passed", "failed"), "reason": ""}, SCORES_PER_NIGHT
    rates = passed.reshape(-1, CASES).mean(axis=1)
    cell = {"run_id": run_id(night), **cell_columns()}
    hashes = dict.fromkeys(("prompt_hash", "scorers_hash", "params_hash"), "0" * 64)
    datasets = {"dataset_hash": [f"dataset-{suite:02}" for suite in range(SUITES) for _ in range(MODELS)]}
    counts = {"n_cases": CASES, "n_measured": CASES, "trials": CASES, "pass_rate": rates, "covered": True}
    yield "cells", cell | hashes | datasets | counts | {"p95_ms": 800.0, "cost_usd": 0.03}, len(rates)
    yield "comparisons", cell | {"verdict": "unchanged", "cause": "", "drop_pp": rates - PASS_RATE}, len(rates)
    yield "gates", cell | {"gate": "min_pass_rate", "limit_value": 0.8, "value": rates, "state": "ok"}, len(rates)
    flips = {name: np.repeat(np.array(column), FLIPS) for name, column in cell_columns().items()}
    flipped = {"case_id": "case-0001", "direction": "lost", "baseline_output": "yes", "output": "no"}
    yield "flips", {"run_id": run_id(night)} | flips | flipped | {"baseline_run_id": run_id(0)}, FLIPS * len(rates)
    ended = began + timedelta(minutes=20)
    run = {"flow": "nightly", "started_at": began, "finished_at": ended, "recorded_at": ended, "status": "finished"}
    yield "runs", {"run_id": run_id(night)} | run | {"calls": SCORES_PER_NIGHT, "cost_usd": 2.7}, 1


@cache
def cell_columns() -> Mapping[str, list[str]]:
    """Suite and model of each cell."""
    cells = [(suite, model) for suite in range(SUITES) for model in range(MODELS)]
    return {"suite": [f"suite-{suite:02}" for suite, _ in cells], "model": [f"model-{model}" for _, model in cells]}


@cache
def trial_columns() -> Mapping[str, "pa.Array"]:
    """Suite, model and case of each trial."""
    import pyarrow as pa

    cells = {name: pa.array(np.repeat(np.array(column), CASES)) for name, column in cell_columns().items()}
    ids = np.array([f"case-{number:04}" for number in range(CASES)])
    return {**cells, "case_id": pa.array(np.tile(ids, SUITES * MODELS))}


def table(name: str, columns: Mapping[str, Any], rows: int) -> "pa.Table":
    """Rows of a table of facts; a single value stands for a whole column, and what is not named is NULL."""
    import pyarrow as pa

    schema = arrow_schema(name)
    if unknown := columns.keys() - set(schema.names):
        raise KeyError(f"{name} has no columns {sorted(unknown)}")

    def column(field: "pa.Field") -> "pa.Array":
        value = columns.get(field.name)
        if isinstance(value, pa.Array):
            return value
        if isinstance(value, list | np.ndarray):
            return pa.array(value, field.type)
        return pa.repeat(pa.scalar(value, field.type), rows)

    return pa.Table.from_arrays([column(field) for field in schema], schema=schema)


def write(results: Path, name: str, part: str, rows: "pa.Table") -> None:
    """Write a part in row groups as large as a run writes them."""
    import pyarrow.parquet as pq

    path = results / "parts" / name / f"{part}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path, compression="zstd", row_group_size=BATCH_ROWS)
