"""Views as files."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks.errors import RunBroken
from tasks.storage.export import export_views
from tasks.storage.warehouse import Warehouse
from tests.storage.sample import RUN, store_a_night


@pytest.fixture
def results(tmp_path: Path) -> Path:
    store_a_night(tmp_path / "results")
    return tmp_path / "results"


def test_every_view_becomes_a_parquet_file_that_holds_what_sql_gives(results: Path, tmp_path: Path) -> None:
    rows = export_views(results, tmp_path / "out", "parquet")
    views = [view for (view,) in Warehouse(results).query("SELECT view_name FROM duckdb_views() WHERE NOT internal")]
    assert sorted(rows) == sorted(views) == sorted(path.stem for path in (tmp_path / "out").iterdir())
    for view in views:
        found = pq.read_table(tmp_path / "out" / f"{view}.parquet")
        assert found.to_pylist() == Warehouse(results).table(f"SELECT * FROM {view}").to_pylist()
        assert found.num_rows == rows[view]


def test_csv_has_times_lists_and_what_is_not_known(results: Path, tmp_path: Path) -> None:
    export_views(results, tmp_path, "csv")
    with (tmp_path / "cases.csv").open(encoding="utf-8", newline="") as file:
        [first, *_] = csv.DictReader(file)
    assert json.loads(first["tags"]) == ["short", "english"]
    assert first["group"] == ""
    with (tmp_path / "runs.csv").open(encoding="utf-8", newline="") as file:
        [run] = csv.DictReader(file)
    assert (run["run_id"], run["started_at"]) == (RUN, "2026-01-01T02:00:00+00:00")


def test_a_folder_that_cannot_be_is_named(results: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunBroken, match="file/out: cannot be written"):
        export_views(results, tmp_path / "file/out", "csv")
