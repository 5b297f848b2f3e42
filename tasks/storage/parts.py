"""Write records as Parquet parts: each there whole or not at all, and never changed, only replaced."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tasks.errors import RunBroken
from tasks.files import publish, temporary_beside
from tasks.records import Call, Outcome, Score
from tasks.storage.tables import arrow_schema, columns_of

BATCH_ROWS = 2_000
BATCH_CHARS = 4_000_000
"""A row group ends at whichever comes first; outputs may be large, and memory is to stay flat."""

Trial = tuple[Sequence[Call], Sequence[Score], Outcome | None]


def write_part(results: Path, table: str, name: str, records: Iterable[Any]) -> Path | None:
    """Write records as the part of this name, replacing an earlier one; without records, write nothing.

    Raises RunBroken when the folder cannot be written; an earlier part of the name is then untouched.
    """
    with PartWriter(results, name, [table]) as parts:
        parts.add(table, records)
    return next(iter(parts.written), None)


def write_trials(results: Path, name: str, trials: Iterable[Trial]) -> list[Path]:
    """Write trials as parts of calls, scores and outcomes of this name, reading them once."""
    with PartWriter(results, name, ["calls", "scores", "outcomes"]) as parts:
        for calls, scores, outcome in trials:
            parts.add("calls", calls)
            parts.add("scores", scores)
            parts.add("outcomes", [outcome] if outcome else [])
    return parts.written


class PartWriter:
    """Parts of one name in several tables, which appear together when the block ends well, and not otherwise."""

    def __init__(self, results: Path, name: str, tables: Iterable[str]) -> None:
        if not name or name.startswith(".") or Path(name).name != name:
            raise ValueError(f"expected a part name that is a plain file name, got {name!r}")
        self.targets = {table: results / "parts" / table / f"{name}.parquet" for table in tables}
        self.written: list[Path] = []
        self._open: dict[str, OpenPart] = {}

    def __enter__(self) -> Self:
        return self

    def add(self, table: str, records: Iterable[Any]) -> None:
        """Add records of a table's type."""
        for record in records:
            part = self._open.get(table) or self._start(table)
            try:
                part.append(record)
            except OSError as error:
                raise cannot_write(part.target, error) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            for part in self._open.values():
                part.discard()

    def _start(self, table: str) -> "OpenPart":
        target = self.targets[table]
        try:
            self._open[table] = OpenPart(table, target)
        except OSError as error:
            raise cannot_write(target, error) from error
        return self._open[table]

    def _finish(self) -> None:
        for table, target in self.targets.items():
            if table not in self._open and target.exists():
                self._start(table)  # an earlier part has rows that are no more
        for part in self._open.values():
            try:
                part.finish()
            except OSError as error:
                raise cannot_write(part.target, error) from error
        for part in self._open.values():
            part.publish()
            self.written.append(part.target)


class OpenPart:
    """A part under way, in a temporary file beside the place where it will stand."""

    def __init__(self, table: str, target: Path) -> None:
        import pyarrow.parquet as pq

        self.target = target
        self._schema = arrow_schema(table)
        self._values = [attrgetter(column.path) for column in columns_of(table)]
        self._records: list[Any] = []
        self._chars = 0
        target.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = temporary_beside(target)
        self._file = self._temporary.open("xb")
        self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")

    def append(self, record: Any) -> None:
        """Add one record; written when a batch is full."""
        self._records.append(record)
        self._chars += len(getattr(record, "output", None) or "")
        if len(self._records) >= BATCH_ROWS or self._chars >= BATCH_CHARS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        fields = zip(self._values, self._schema.types, strict=True)
        arrays = [arrow_array([value(record) for record in self._records], type_) for value, type_ in fields]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._records.clear()
        self._chars = 0

    def finish(self) -> None:
        """Bring everything to the disk, still under the temporary name."""
        if self._records:
            self._flush()
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())

    def publish(self) -> None:
        """Give the part its name."""
        publish(self._temporary, self.target)

    def discard(self) -> None:
        """Let go of the file, and remove it unless it was published."""
        with suppress(OSError):  # a full disk was told already
            self._writer.close()
        with suppress(OSError):
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def arrow_array(values: Sequence[Any], type_: Any) -> Any:
    """Make an Arrow array; lone surrogates, which only broken text holds, become U+FFFD."""
    import pyarrow as pa

    try:
        return pa.array(values, type_)
    except UnicodeEncodeError:
        return pa.array([well_formed(value) for value in values], type_)


def well_formed(value: Any) -> Any:
    """Replace what UTF-8 cannot carry in a text or a tuple of texts."""
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case tuple():
            return tuple(well_formed(item) for item in value)
        case _:
            return value


def cannot_write(path: Path, error: OSError) -> RunBroken:
    """Say that a file could not be written, and what to do."""
    reason = error.strerror or str(error)
    return RunBroken(
        f"{path}: cannot write: {reason}; give the folder space and write permission and start again: "
        "what was finished is kept"
    )
