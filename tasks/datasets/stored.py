"""Store the cases of a suite as a Parquet part, and read them back in pieces.

`input` and `expected` are canonical JSON texts, so that what is asked depends on the content alone, not on the file
that it was read from.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.datasets.cases import read_cases
from tasks.datasets.content import DatasetHash, canonical, input_hash
from tasks.datasets.problems import Problems
from tasks.documents.wording import shown
from tasks.errors import Problem, RunBroken, UsageError
from tasks.files import in_place_of
from tasks.records import Case, StoredCase, Suite

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_GROUP = 256
SCHEMA_VERSION = "4"
READ = ("case_id", "input", "expected", "kind", "tags", "group")


def store_cases(suite: Suite, path: Path) -> None:
    """Write the suite's cases in the order of their files, unless the part is there.

    Raises UsageError when they are no longer what `load_suites` saw, RunBroken when the part cannot be written.
    """
    if path.exists():
        return
    try:
        with in_place_of(path) as temporary:
            write_part(suite, temporary)
    except OSError as error:
        raise RunBroken(f"{shown(path)}: cannot write: {error.strerror or error}") from error


def write_part(suite: Suite, path: Path) -> None:
    """Write all cases to a new file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = part_schema()
    rows = stored_rows(suite)
    with path.open("xb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(rows, ROWS_PER_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def stored_rows(suite: Suite) -> Iterator[dict[str, Any]]:
    """Every case as a row; after the last, raises UsageError if they are not those that the suite was checked with."""
    folder, problems, dataset = Path(suite.folder), Problems(), DatasetHash()
    for row, case in read_cases(suite.config.cases, folder, shown(folder / "suite.yaml"), problems):
        if case:
            try:
                yield stored_row(suite, case, dataset.add(case))
            except (TypeError, ValueError) as error:
                problems.add(row.where, str(error))
    if problems or dataset.hexdigest() != suite.dataset_hash:
        message = "the cases are no longer those that were checked"
        changed = Problem(shown(folder), message, "they changed in the meantime: start again")
        raise UsageError([changed, *problems.listed()])


def stored_row(suite: Suite, case: Case, case_hash: str) -> dict[str, Any]:
    """A case with the fields of `StoredCase`."""
    return {
        "suite": suite.name,
        "dataset_hash": suite.dataset_hash,
        "case_id": case.id,
        "input": canonical(case.input),
        "expected": canonical(case.expected),
        "kind": case.kind,
        "tags": case.tags,
        "group": case.group,
        "case_hash": case_hash,
        "input_hash": input_hash(case),
    }


def part_schema() -> "pa.Schema":
    """The columns of a stored case."""
    import pyarrow as pa

    types = {name: pa.list_(pa.string()) if name == "tags" else pa.string() for name in StoredCase.__dataclass_fields__}
    return pa.schema(types, metadata={"daybreak.schema_version": SCHEMA_VERSION})


def read_stored(path: Path, start: int, stop: int) -> Iterator[Case]:
    """The cases of rows `start` to `stop`, counted from 0, the last excluded; raises RunBroken for a damaged part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            first = 0
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                skipped = max(start - first, 0)
                if skipped < rows and first < stop:
                    table = file.read_row_group(group, columns=list(READ))
                    yield from map(case_of, table.slice(skipped, stop - first - skipped).to_pylist())
                first += rows
    except (pa.ArrowException, OSError) as error:
        raise RunBroken(f"{shown(path)}: cannot read the stored cases: {error}") from error


def case_of(row: dict[str, Any]) -> Case:
    """The case of a stored row."""
    return Case(
        id=row["case_id"],
        input=json.loads(row["input"]),
        expected=json.loads(row["expected"]),
        kind=row["kind"],
        tags=tuple(row["tags"]),
        group=row["group"],
    )
