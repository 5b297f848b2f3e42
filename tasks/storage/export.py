"""Every view as a file of its own, for whoever reads neither DuckDB nor our parts."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tasks.errors import RunBroken
from tasks.files import in_place_of
from tasks.storage.parts import BATCH_ROWS
from tasks.storage.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["parquet", "csv"]
VIEWS = "SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY view_name"


def export_views(results: Path, folder: Path, form: Form) -> dict[str, int]:
    """Write FOLDER/VIEW.parquet or .csv for each view, replacing earlier ones; gives how many rows each has.

    Rows pass through in batches, so that memory stays flat. Raises RunBroken where the folder cannot be written.
    """
    write = WRITERS[form]
    found: dict[str, int] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Warehouse(results).reading() as con:
            for (view,) in con.execute(VIEWS).fetchall():
                path = folder / f"{view}.{form}"
                with in_place_of(path, synced=False) as temporary:
                    found[view] = write(temporary, con.table(view).to_arrow_reader(BATCH_ROWS))
    except OSError as error:
        raise RunBroken(f"{folder}: cannot be written: {error.strerror or error}") from error
    return found


def write_parquet(path: Path, batches: "pa.RecordBatchReader") -> int:
    """Write batches with their types."""
    import pyarrow.parquet as pq

    rows = 0
    with pq.ParquetWriter(path, batches.schema, compression="zstd") as file:
        for batch in batches:
            file.write_batch(batch)
            rows += batch.num_rows
    return rows


def write_csv(path: Path, batches: "pa.RecordBatchReader") -> int:
    """Write batches as text: times in ISO 8601, lists as JSON, nothing for what is not known."""
    rows = 0
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(batches.schema.names)
        for batch in batches:
            writer.writerows(as_text(row) for row in batch.to_pylist())
            rows += batch.num_rows
    return rows


def as_text(row: Mapping[str, Any]) -> Iterator[Any]:
    """A row's values as CSV can hold them."""
    for value in row.values():
        match value:
            case date():
                yield value.isoformat()
            case list() | dict():
                yield json.dumps(value, ensure_ascii=False)
            case _:
                yield value


WRITERS: Mapping[Form, Callable[[Path, "pa.RecordBatchReader"], int]] = {"parquet": write_parquet, "csv": write_csv}
