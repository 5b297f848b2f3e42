"""Cases are read, checked and stored one by one, whatever their number."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet  # noqa: F401 (what an import takes is no matter of cases)
import pytest

from tasks.datasets.stored import read_stored, store_cases
from tests.fakes.workspace import Workspace

N_CASES = 4_000
CHARS = 4_000
MOST_BYTES = 6_000_000
"""Little over a third of what the cases' inputs alone would take."""


def peak_of(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def workspace_with_cases(root: Path, format: str, name: str) -> Workspace:
    workspace = Workspace(root)
    folder = workspace.suite("sums", f"cases: {name}\nscorers: [exact]\n")
    fields = f"'case-' || i AS id, repeat('many ', {CHARS // 5}) AS input, 'x' AS expected"
    duckdb.sql(f"COPY (SELECT {fields} FROM range({N_CASES}) r(i)) TO '{folder / name}' (FORMAT {format})")
    return workspace


@pytest.mark.parametrize(("format", "name"), [("json", "many.jsonl"), ("csv", "many.csv"), ("parquet", "many.parquet")])
def test_memory_does_not_grow_with_the_cases_that_are_checked(tmp_path: Path, format: str, name: str) -> None:
    workspace = workspace_with_cases(tmp_path, format, name)
    assert peak_of(workspace.load) < MOST_BYTES


def test_memory_does_not_grow_with_the_cases_that_are_stored(tmp_path: Path) -> None:
    [suite] = workspace_with_cases(tmp_path, "json", "many.jsonl").load()
    part = tmp_path / "part.parquet"
    assert peak_of(lambda: store_cases(suite, part)) < MOST_BYTES
    assert peak_of(lambda: list(read_stored(part, N_CASES - 10, N_CASES))) < MOST_BYTES
