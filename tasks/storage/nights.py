"""What the flows ask of earlier nights: in which setting each cell was measured, and what came of its cases.

Every function takes the results folder, opens the warehouse for the question and closes it again.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.records import Setting
from tasks.storage.sql_files import sql
from tasks.storage.warehouse import Warehouse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class StoredNight(NamedTuple):
    """A cell of a finished run; `moved` says that it was found better or worse than its own baseline."""

    suite: str
    model: str
    run_id: str
    flow: str
    started_at: datetime
    trials: int
    covered: bool
    moved: bool
    setting: Setting


class RunsOfCell(NamedTuple):
    """A cell in some runs."""

    suite: str
    model: str
    run_ids: Sequence[str]


def stored_nights(results: Path) -> list[StoredNight]:
    """Every cell of every finished run, the earliest first."""
    rows = Warehouse(results).query(sql("select_nights"))
    return [night_of(*row) for row in rows]


def night_of(suite: str, model: str, run_id: str, flow: str, started_at: datetime, *more: Any) -> StoredNight:
    """A night from a row."""
    trials, covered, moved, served, judges, *hashes = more
    setting = Setting(tuple(served), tuple(judges or ()), *hashes)
    return StoredNight(suite, model, run_id, flow, started_at, trials, covered, moved, setting)


def counts_by_cell(results: Path, cells: Iterable[RunsOfCell]) -> "dict[tuple[str, str], NDArray[np.int64]]":
    """2 × cases of some cells, in any order: the passed and the measured trials of each case, all runs together."""
    import numpy as np

    rows = Warehouse(results).query(sql("select_counts_by_cell"), {"cells": as_json(cells)})
    found: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for suite, model, passed, measured, cases in rows:
        found.setdefault((suite, model), []).append((passed, measured, cases))
    counts = {cell: np.array(alike, dtype=np.int64).T for cell, alike in found.items()}
    return {cell: np.repeat(one[:2], one[2], axis=1) for cell, one in counts.items()}


def as_json(cells: Iterable[RunsOfCell]) -> str:
    """As queries take them, since the Python client takes long over lists."""
    return json.dumps([cell._asdict() for cell in cells])


def first_outcomes(results: Path, cells: Iterable[RunsOfCell]) -> "list[NDArray[np.int8]]":
    """For each cell nights × cases: 1 where the first planned trial passed and 0 where it failed.

    Runs of a cell must have seen the same cases; those that not every run measured are left out.
    """
    import numpy as np

    rows = Warehouse(results).query(sql("select_first_outcomes"), {"cells": as_json(cells)})
    return [
        (np.frombuffer(passed.encode(), dtype=np.int8) - ord("0")).reshape(-1, nights).T
        for _, _, nights, passed in rows
    ]
