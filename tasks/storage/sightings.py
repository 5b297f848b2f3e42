"""What the flows ask of earlier runs about the models: who answered, what they were sent, what was noticed of them.

Every function takes the results folder, opens the warehouse for the question and closes it again.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tasks.records import Event, Sighting
from tasks.storage.counts import CASES_PER_PIECE, ROWS_AT_ONCE
from tasks.storage.reads import as_fields
from tasks.storage.sql_files import sql
from tasks.storage.warehouse import Warehouse


def sightings(results: Path) -> list[Sighting]:
    """Every version that answered, in every run."""
    return [Sighting(*row) for row in Warehouse(results).query(sql("select_sightings"))]


def events(results: Path, *, but_not_of: str = "") -> list[Event]:
    """Every recorded event, the oldest first, without those that one run has recorded."""
    rows = Warehouse(results).table(sql("select_events"), {"but_not_of": but_not_of}).to_pylist()
    return [Event(**as_fields(row)) for row in rows]


def sent_prompts(
    results: Path, run_id: str, suite: str, model: str, *, cases: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The hashes of the system prompts that were sent for each case of a cell, which has about so many cases."""
    pieces = 1 + cases // CASES_PER_PIECE
    cell = {"run_id": run_id, "suite": suite, "model": model, "pieces": pieces}
    with Warehouse(results).reading() as con:
        for piece in range(pieces):
            answer = con.execute(sql("select_sent_prompts"), {**cell, "piece": piece})
            while rows := answer.fetchmany(ROWS_AT_ONCE):
                yield from ((case_id, tuple(hashes)) for case_id, hashes in rows)


class Answered(NamedTuple):
    """When a model last answered under an id, and since when it is not found; None where it never was."""

    model: str
    requested_model: str
    last_answered: datetime | None
    missing_since: datetime | None


def answering(results: Path) -> list[Answered]:
    """What the calls of all runs say of who is still there."""
    return [Answered(*row) for row in Warehouse(results).query(sql("select_answering"))]
