"""Read cases with DuckDB: Parquet files, and whatever a query selects.

The database lives in memory and fetches no extension. What has no counterpart in JSON becomes text (dates, times and
timestamps in ISO 8601, the latter in UTC), decimals become numbers, a column of DuckDB's type JSON its value.
"""

import glob
import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tasks.datasets.problems import Problems
from tasks.datasets.rows import Row, known_columns
from tasks.documents.files import require_file
from tasks.documents.wording import shown
from tasks.errors import UsageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH = 200
SQL_S = 300
"""Seconds that a query may take to its first rows, and from there to the next ones."""

MOST_ROWS = 10_000_000
"""Cases of one source: more would be asked for years."""


def parquet_rows(path: Path, problems: Problems) -> Iterator[Row]:
    """The rows of a Parquet file."""
    require_file(path)
    return query_rows("SELECT * FROM read_parquet($1)", [glob.escape(str(path))], path.parent, shown(path), problems)


def selected_rows(sql: str, folder: Path, where: str, problems: Problems) -> Iterator[Row]:
    """The rows of one SELECT, in which relative paths start at `folder`."""
    if "," in str(folder):
        raise UsageError.single("cases.sql: DuckDB finds no files in a folder with a comma in its path", where=where)
    yield from query_rows(sql, [], folder, where, problems)


def query_rows(sql: str, values: Sequence[str], folder: Path, where: str, problems: Problems) -> Iterator[Row]:
    """The rows of one SELECT; raises UsageError with DuckDB's words when it fails."""
    import duckdb

    try:
        with connected(folder) as connection:
            refuse_all_but_select(connection, sql, where)
            with interrupted_after(SQL_S, connection):
                connection.execute(sql, values)
            names = [column[0] for column in connection.description]
            columns = known_columns(names, where, problems)
            is_json = [str(column[1]) == "JSON" for column in connection.description]
            for number, cells in enumerate(batched(connection), 1):
                fields = {
                    name: json.loads(cell) if as_json else json_value(cell)
                    for name, cell, as_json in zip(names, cells, is_json, strict=True)
                    if cell is not None and name in columns
                }
                yield Row(where, number, fields, unit=" row ")
    except RecursionError:
        raise UsageError.single("DuckDB cannot read the cases: a value is nested too deeply", where=where) from None
    except (duckdb.Error, ValueError, OverflowError) as error:
        said = str(error).partition("\n")[0]
        raise UsageError.single(f"DuckDB cannot read the cases: {said}", where=where) from None


def connected(folder: Path) -> "DuckDBPyConnection":
    """A database in memory that sees files alone."""
    import duckdb

    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "file_search_path": str(folder),
            "python_enable_replacements": "false",
            "temp_directory": tempfile.gettempdir(),
        }
    )
    return connection.execute("SET TimeZone = 'UTC'")


def refuse_all_but_select(connection: "DuckDBPyConnection", sql: str, where: str) -> None:
    """Raise UsageError for what is not one query: COPY would write files, ATTACH open databases."""
    from duckdb import StatementType

    statements = connection.extract_statements(sql)
    if [statement.type for statement in statements] != [StatementType.SELECT]:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        raise UsageError.single(f"cases.sql: expected one SELECT, got {kinds}", where=where)


def batched(connection: "DuckDBPyConnection") -> Iterator[tuple[Any, ...]]:
    """The rows of the result, fetched piece by piece."""
    count = 0
    while True:
        with interrupted_after(SQL_S, connection):
            rows = connection.fetchmany(BATCH)
        if not rows:
            return
        count += len(rows)
        if count > MOST_ROWS:
            raise ValueError(f"more than {MOST_ROWS:,} rows")
        yield from rows


@contextmanager
def interrupted_after(seconds: float, connection: "DuckDBPyConnection") -> Iterator[None]:
    """Interrupt a query that takes longer, which then raises DuckDB's error."""
    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def json_value(value: Any) -> Any:
    """The JSON value of what DuckDB returns; what has none stays as it is."""
    match value:
        case list() | tuple():
            return [json_value(item) for item in value]
        case dict():
            return {str(key): json_value(item) for key, item in value.items()}
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
        case date() | time():
            return value.isoformat()
        case UUID() | timedelta():
            return str(value)
    return value
