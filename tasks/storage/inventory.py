"""Which parts lie in a results folder, and whether they are sound."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tasks.storage.tables import SCHEMA_VERSION, TABLES, VERSION_KEY, arrow_schema

LEFTOVER_AGE_S = 86_400


class PartFile(NamedTuple):
    """A part as the file system knows it."""

    table: str
    name: str
    size: int
    mtime_ns: int
    path: Path

    @property
    def stamp(self) -> tuple[int, int]:
        """What differs once another part has taken its name."""
        return self.size, self.mtime_ns


def find_parts(results: Path) -> Iterator[PartFile]:
    """Yield every finished part by table and name; what is still being written has another suffix."""
    for table in TABLES:
        folder = results / "parts" / table
        if folder.is_dir():
            with os.scandir(folder) as entries:
                files = sorted((entry for entry in entries if entry.name.endswith(".parquet")), key=lambda e: e.name)
            for file in files:
                stat = file.stat()
                name = file.name.removesuffix(".parquet")
                yield PartFile(table, name, stat.st_size, stat.st_mtime_ns, Path(file.path))


def has_parts(results: Path) -> bool:
    """True when anything was stored."""
    return next(find_parts(results), None) is not None


def count_rows(part: PartFile) -> int:
    """Read the number of rows from a part's footer; raises ValueError where the part is no sound one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(part.path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"the file is damaged: {first_line(error)}") from error
    version = (schema.metadata or {}).get(VERSION_KEY, b"none").decode()
    if version != str(SCHEMA_VERSION):
        raise ValueError(f"expected schema version {SCHEMA_VERSION}, got {version}: which Daybreak wrote it?")
    expected = arrow_schema(part.table).names
    if sorted(schema.names) != sorted(expected):
        raise ValueError(f"expected the columns {', '.join(expected)}, got {', '.join(schema.names)}")
    return int(rows)


def problem_of_content(part: PartFile) -> str | None:
    """Read a part from end to end and say what is wrong with it, if anything is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(part.path) as file:
            for _ in file.iter_batches():
                pass
    except (pa.ArrowException, OSError) as error:
        return f"the file is damaged: {first_line(error)}"
    return None


def first_line(error: Exception) -> str:
    """The part of a library's message that says what happened."""
    return str(error).strip().partition("\n")[0]


def remove_leftovers(results: Path) -> None:
    """Remove what processes that were killed left half-written more than a day ago."""
    oldest = time.time() - LEFTOVER_AGE_S
    for pattern in ("parts/*/*.tmp", "daybreak.duckdb.*tmp", "daybreak.duckdb.*.tmp.wal"):
        for path in results.glob(pattern):
            try:
                if path.stat().st_mtime < oldest:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            except FileNotFoundError:
                continue
