"""Find a suite's cases: files of several formats, or a query."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tasks.config import SqlCases
from tasks.datasets.problems import Problems
from tasks.datasets.rows import Row
from tasks.datasets.tables import parquet_rows, selected_rows
from tasks.datasets.text_rows import csv_rows, jsonl_rows
from tasks.documents.files import expanded, status_of
from tasks.documents.wording import brief, nearest, shown
from tasks.errors import Problem, UsageError

READERS: Mapping[str, Callable[[Path, Problems], Iterator[Row]]] = {
    ".jsonl": jsonl_rows,
    ".csv": csv_rows,
    ".parquet": parquet_rows,
}


def rows_of(cases: str | Sequence[str] | SqlCases, folder: Path, where: str, problems: Problems) -> Iterator[Row]:
    """Every row; `where` is the place that names the files or the query. No reader holds more than a batch of rows."""
    if isinstance(cases, SqlCases):
        yield from or_problem(selected_rows(cases.sql, folder, where, problems), where, problems)
        return
    for path in case_files([cases] if isinstance(cases, str) else cases, folder, where, problems):
        read = READERS.get(path.suffix.lower())
        if read:
            yield from or_problem(read(path, problems), shown(path), problems)
        else:
            message = f"cases: expected .jsonl, .csv or .parquet, got {brief(path.name)}"
            problems.add_unreadable([Problem(where, message)])


def or_problem(rows: Iterator[Row], where: str, problems: Problems) -> Iterator[Row]:
    """The rows of one source; that it cannot be read, or is empty, becomes a problem."""
    before, row = len(problems), None
    try:
        for row in rows:
            yield row
    except UsageError as error:
        problems.add_unreadable(error.problems)
    if row is None and len(problems) == before:
        problems.add(where, "expected cases, got none")


def case_files(names: Iterable[str], folder: Path, where: str, problems: Problems) -> Iterator[Path]:
    """The files that the names or glob patterns stand for."""
    for name in names:
        try:
            found = files_named(folder / expanded(name), folder)
        except (UsageError, ValueError) as error:  # a pattern that is none is a ValueError
            problems.add_unreadable([Problem(where, f"cases: {brief(name)}: {error}")])
            continue
        if not found:
            hint = nearest(name, sorted(other.name for other in folder.iterdir() if other.suffix in READERS))
            problems.add_unreadable([Problem(where, f"cases: no such file: {brief(name)}", hint)])
        yield from found


def files_named(path: Path, folder: Path) -> list[Path]:
    """The file of that name, or those that it matches as a pattern; raises UsageError or ValueError for neither."""
    if status_of(path):
        return [path]
    start = folder if path.is_relative_to(folder) else Path(path.anchor)
    return sorted(start.glob(str(path.relative_to(start))))
