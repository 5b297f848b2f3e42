"""What a warehouse is made of: tables, views, and the version by which an outdated one is told."""

import hashlib
from typing import TYPE_CHECKING

from tasks.storage.sql_files import sql
from tasks.storage.tables import TABLES, table_ddl

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def layout_script() -> str:
    """Everything that an empty file needs."""
    return "\n".join([sql("create_schema"), *map(table_ddl, TABLES), sql("create_views")])


def layout_version() -> str:
    """Changes with any table or view, so that no one can forget to raise it."""
    return hashlib.sha256(layout_script().encode()).hexdigest()


def create_layout(con: "DuckDBPyConnection") -> None:
    """Make the tables and views in an empty file."""
    con.execute(layout_script())
    con.execute("INSERT INTO facts.layout VALUES (?)", [layout_version()])


class OutdatedLayout(Exception):
    """A warehouse of another version of Daybreak, or a file that is no warehouse; to be made anew."""


def require_current(con: "DuckDBPyConnection") -> None:
    """Raise OutdatedLayout unless the file has the tables and views of this version of Daybreak."""
    import duckdb

    try:
        found = con.execute("SELECT version FROM facts.layout").fetchall()
    except duckdb.CatalogException as error:
        raise OutdatedLayout from error
    if found != [(layout_version(),)]:
        raise OutdatedLayout
