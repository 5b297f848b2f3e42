"""The warehouse: one DuckDB file that holds what the parts hold, for SQL; it can be thrown away at any time."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import UsageError
from tasks.files import temporary_beside
from tasks.storage.connections import connection, explained, in_memory, little_memory, wal_of
from tasks.storage.gate import Patience, writers_turn
from tasks.storage.ingest import IngestReport, bring_in, known_parts
from tasks.storage.inventory import find_parts, has_parts, remove_leftovers
from tasks.storage.layout import OutdatedLayout, create_layout, require_current

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

WAIT_S = 30.0

_kept_open: "ContextVar[Mapping[Path, DuckDBPyConnection]]" = ContextVar("kept_open", default={})  # noqa: B039 (replaced)


@dataclass(frozen=True, slots=True)
class Rows:
    """What a person's statement returned."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Warehouse:
    """RESULTS/daybreak.duckdb. Nothing stays open between calls; several processes may use it at once.

    Every method waits up to `wait_s` seconds for others and then raises WarehouseBusy. A damaged file, a full disk or a
    folder without permission raises RunBroken, with what to do.
    """

    def __init__(self, results: Path, *, wait_s: float = WAIT_S) -> None:
        self.results = results
        self.path = results / "daybreak.duckdb"
        self._wait_s = wait_s

    def ingest(self) -> IngestReport:
        """Bring in all parts that are not in yet, in one transaction; without a warehouse, make one."""
        if self.path in _kept_open.get():
            raise RuntimeError(f"{self.path} is kept open for reading here, so that writing would wait for itself")
        with explained(self.path):
            remove_leftovers(self.results)
            if self._exists():
                patience = self._patience()
                with writers_turn(self.path, patience), suppress(OutdatedLayout):
                    return self._bring_in(self.path, patience)
        return self.rebuild()

    def catch_up(self) -> None:
        """Bring in what a process wrote that was killed before it could; only reads where there is nothing of that."""
        with self.reading() as con:
            known = known_parts(con)
        if any(known.get((part.table, part.name)) != part.stamp for part in find_parts(self.results)):
            self.ingest()

    def rebuild(self) -> IngestReport:
        """Make the warehouse anew from the parts, beside an old one, which serves until the new one takes its place."""
        fresh = temporary_beside(self.path)
        with explained(self.path):
            self.results.mkdir(parents=True, exist_ok=True)
            try:
                with connection(fresh, self._patience()) as con:
                    create_layout(con)
                first = self._bring_in(fresh, self._patience())
                with writers_turn(self.path, self._patience()):
                    last = self._bring_in(fresh, self._patience())
                    wal_of(self.path).unlink(missing_ok=True)
                    fresh.replace(self.path)
            finally:
                fresh.unlink(missing_ok=True)
                wal_of(fresh).unlink(missing_ok=True)
        return IngestReport(first.parts + last.parts, first.rows + last.rows, last.damaged)

    def _bring_in(self, file: Path, patience: Patience) -> IngestReport:
        """Bring in what is new with little memory, or with more where answers are very long."""
        import duckdb

        short_of_memory = (duckdb.OutOfMemoryException, duckdb.TransactionException, duckdb.FatalException)
        with suppress(*short_of_memory), connection(file, patience) as con:
            require_current(con)
            with little_memory(con):
                return bring_in(con, find_parts(self.results))
        with connection(file, patience) as con:
            return bring_in(con, find_parts(self.results))

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one of our own queries."""
        with self.reading() as con:
            return con.execute(statement, parameters).fetchall()

    def table(self, statement: str, parameters: Mapping[str, Any] | None = None) -> "pa.Table":
        """Run one of our own queries for columns instead of rows."""
        with self.reading() as con:
            return con.sql(statement, params=parameters).to_arrow_table()

    def read_only(self, statement: str) -> Rows:
        """Run one statement that a person wrote; raises UsageError where it is wrong, or more than a question."""
        import duckdb

        wrong = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError, duckdb.PermissionException)
        with self.reading() as con:
            try:
                refuse_all_but_one_question(con, statement)
                found = con.execute(statement)
                return Rows(tuple(column[0] for column in found.description), found.fetchall())
            except wrong as error:
                raise UsageError.single(str(error)) from error

    @contextmanager
    def reading(self) -> Iterator["DuckDBPyConnection"]:
        """Open the warehouse to read; one that is missing or of another layout is made from the parts first."""
        kept = _kept_open.get().get(self.path)
        with explained(self.path), ExitStack() as stack:
            yield stack.enter_context(kept.cursor()) if kept else self._open(stack)

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Let all that reads in this block share one opening, which costs more than most questions.

        Whoever wants to write waits until the block ends, and this thread must not.
        """
        with ExitStack() as stack:
            if self.path not in _kept_open.get():
                with explained(self.path):
                    con = self._open(stack)
                stack.callback(_kept_open.reset, _kept_open.set({**_kept_open.get(), self.path: con}))
            yield

    def _open(self, stack: ExitStack) -> "DuckDBPyConnection":
        if self._exists():
            con = stack.enter_context(connection(self.path, self._patience(), read_only=True))
            with suppress(OutdatedLayout):
                require_current(con)
                return con
            stack.close()
        elif not has_parts(self.results):
            empty = stack.enter_context(in_memory())
            create_layout(empty)
            return empty
        self.rebuild()
        return stack.enter_context(connection(self.path, self._patience(), read_only=True))

    def _exists(self) -> bool:
        """False for an empty file too, which is what a full disk may leave."""
        return self.path.is_file() and self.path.stat().st_size > 0

    def _patience(self) -> Patience:
        return Patience(self.path, self._wait_s)


def refuse_all_but_one_question(con: "DuckDBPyConnection", statement: str) -> None:
    """Let one SELECT (or EXPLAIN) pass."""
    import duckdb

    questions = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    kinds = [parsed.type for parsed in con.extract_statements(statement)]
    if len(kinds) != 1:
        raise UsageError.single(f"expected one statement, got {len(kinds)}", hint="write one SELECT")
    if kinds[0] not in questions:
        raise UsageError.single(f"expected a SELECT, got {kinds[0].name}", hint="the warehouse is only read")
