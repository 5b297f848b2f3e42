"""Bring parts into an open warehouse, in one transaction, and each of them once."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tasks.errors import Problem
from tasks.storage.inventory import PartFile, count_rows, problem_of_content
from tasks.storage.sql_files import sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


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


def bring_in(con: "DuckDBPyConnection", found: Iterable[PartFile]) -> IngestReport:
    """Bring in the parts that are new or were replaced; damaged ones do not hold up the others."""
    import duckdb

    sound, damaged = sort_out(new_parts(con, found))
    try:
        insert(con, sound)
    except duckdb.OutOfMemoryException:  # answers of many megabytes
        con.execute("RESET memory_limit")
        insert(con, sound)
    except duckdb.Error:
        broken = {part: problem for part in sound if (problem := problem_of_content(part.file))}
        if not broken:
            raise
        damaged += [(part.file, problem) for part, problem in broken.items()]
        sound = [part for part in sound if part not in broken]
        insert(con, sound)
    problems = tuple(as_problem(part.path, problem) for part, problem in damaged)
    return IngestReport(len(sound), sum(part.rows for part in sound), problems)


def new_parts(con: "DuckDBPyConnection", found: Iterable[PartFile]) -> list[PartFile]:
    """Those that the warehouse does not know, or knows with another content."""
    known = {
        (table, name): (size, mtime)
        for table, name, size, mtime in con.execute(sql("select_ingested_parts")).fetchall()
    }
    return [part for part in found if known.get((part.table, part.name)) != (part.size, part.mtime_ns)]


def sort_out(parts: Iterable[PartFile]) -> tuple[list[SoundPart], list[tuple[PartFile, str]]]:
    """Separate the parts whose footer is sound from those that are damaged, with the reason."""
    sound, damaged = [], []
    for part in parts:
        try:
            sound.append(SoundPart(part, count_rows(part)))
        except ValueError as error:
            damaged.append((part, str(error)))
    return sound, damaged


def insert(con: "DuckDBPyConnection", parts: Sequence[SoundPart]) -> None:
    """Insert parts in one transaction, in place of earlier ones of the same name."""
    with transaction(con):
        for table, group in groupby(parts, key=lambda part: part.file.table):
            insert_into(con, table, list(group))


def insert_into(con: "DuckDBPyConnection", table: str, parts: Sequence[SoundPart]) -> None:
    """Insert the parts of one table and remember them."""
    files = [part.file for part in parts]
    names = [file.name for file in files]
    con.execute(sql("delete_parts").format(table=table), {"names": names})
    con.execute(sql("forget_parts"), {"table": table, "names": names})
    con.execute(sql("insert_parts").format(table=table), {"paths": [escape(str(file.path)) for file in files]})
    con.execute(
        sql("insert_ingested_parts"),
        {
            "tables": [table] * len(files),
            "names": names,
            "sizes": [file.size for file in files],
            "mtimes": [file.mtime_ns for file in files],
            "rows": [part.rows for part in parts],
        },
    )


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


def as_problem(path: Path, message: str) -> Problem:
    """Name a damaged part."""
    return Problem(str(path), message, "its rows are left out; restore it from a backup, or remove it")
