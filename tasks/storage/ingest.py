"""Bring parts into an open warehouse, in one transaction, and each of them once."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.errors import Problem
from tasks.storage.inventory import PartFile, count_rows, problem_of_content
from tasks.storage.sql_files import sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Known = Mapping[tuple[str, str], tuple[int, int]]
"""Size and time of the parts that are in the warehouse, by table and name."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What came into the warehouse; damaged parts stay outside and are named."""

    parts: int
    rows: int
    damaged: tuple[Problem, ...]


class SoundPart(NamedTuple):
    """A part with its number of rows."""

    file: PartFile
    rows: int

    def as_row(self) -> dict[str, Any]:
        """What the warehouse remembers of it."""
        file = self.file
        return {
            "table_name": file.table,
            "part": file.name,
            "size": file.size,
            "mtime_ns": file.mtime_ns,
            "rows": self.rows,
        }


def bring_in(con: "DuckDBPyConnection", found: Iterable[PartFile]) -> IngestReport:
    """Bring in the parts that are new or were replaced; damaged ones do not hold up the others.

    Errors of DuckDB pass through where no part is to blame: too little memory, a full disk, a damaged warehouse.
    """
    import duckdb

    known = known_parts(con)
    sound, damaged = sort_out(part for part in found if known.get((part.table, part.name)) != part.stamp)
    try:
        insert(con, sound, known)
    except (duckdb.OutOfMemoryException, duckdb.TransactionException, duckdb.FatalException):
        raise
    except duckdb.Error:
        broken = {part: problem for part in sound if (problem := problem_of_content(part.file))}
        if not broken:
            raise
        damaged += [as_problem(part.file, problem) for part, problem in broken.items()]
        sound = [part for part in sound if part not in broken]
        insert(con, sound, known)
    return IngestReport(len(sound), sum(part.rows for part in sound), tuple(damaged))


def known_parts(con: "DuckDBPyConnection") -> Known:
    """The parts that are in, with the size and time that they had."""
    rows = con.execute(sql("select_ingested_parts")).fetchall()
    return {(table, name): (size, mtime_ns) for table, name, size, mtime_ns in rows}


def sort_out(parts: Iterable[PartFile]) -> tuple[list[SoundPart], list[Problem]]:
    """Separate the parts whose footer is sound from what is wrong with the others."""
    sound, damaged = [], []
    for part in parts:
        try:
            sound.append(SoundPart(part, count_rows(part)))
        except ValueError as error:
            damaged.append(as_problem(part, str(error)))
    return sound, damaged


def as_problem(part: PartFile, message: str) -> Problem:
    """Name a damaged part."""
    return Problem(str(part.path), message, "its rows are left out; restore it from a backup, or remove it")


def insert(con: "DuckDBPyConnection", parts: Sequence[SoundPart], known: Known) -> None:
    """Insert parts in one transaction, in place of earlier ones of the same name, and remember them."""
    with transaction(con):
        for table, group in groupby(parts, key=lambda part: part.file.table):
            of_table = list(group)
            delete_replaced(con, table, [part.file.name for part in of_table if (table, part.file.name) in known])
            paths = [escape(str(part.file.path)) for part in of_table]
            con.execute(sql("insert_parts").format(table=table), {"paths": paths})
        if parts:
            con.execute(sql("insert_ingested_parts"), {"parts": json.dumps([part.as_row() for part in parts])})


def delete_replaced(con: "DuckDBPyConnection", table: str, names: Sequence[str]) -> None:
    """Delete the rows of parts of which there is another now."""
    if names:
        listed = json.dumps(names)
        con.execute(sql("delete_replaced_rows").format(table=table), {"names": listed})
        con.execute(sql("delete_replaced_parts"), {"table": table, "names": listed})


@contextmanager
def transaction(con: "DuckDBPyConnection") -> Iterator[None]:
    """All or nothing."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()
