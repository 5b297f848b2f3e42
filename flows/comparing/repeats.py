"""How often a repeated trial disagrees, at the version that answers tonight."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from flows.run import Run
from tasks.records import Cell
from tasks.storage.nights import RunsOfCell, StoredNight, counts_by_cell, stored_nights
from tasks.verdicts.population import flip_rate

NIGHTS = 30
"""Earlier nights whose trials count, too, for as long as nothing had changed."""


def with_flip_rates(run: Run, cells: Sequence[Cell]) -> Iterator[Cell]:
    """Tell of each cell how often its trials disagree: planned ones alone, since those that confirm were chosen."""
    nights = stored_nights(run.results)
    wanted = [RunsOfCell(cell.suite, cell.model, [*same_nights(cell, nights), cell.run_id]) for cell in cells]
    counts = counts_by_cell(run.results, wanted)
    for cell in cells:
        passed, measured = counts.get((cell.suite, cell.model), np.empty((2, 0), dtype=np.int64))
        found = flip_rate(passed, measured)
        if found:
            low, high = found.interval
            yield replace(cell, flip_rate=found.value, flip_rate_low=low, flip_rate_high=high)
        else:
            yield cell


def same_nights(cell: Cell, nights: Iterable[StoredNight]) -> list[str]:
    """The latest nights of a cell on which everything was as it is tonight."""
    found: list[str] = []
    for night in nights:
        if (night.suite, night.model) == (cell.suite, cell.model) and night.run_id != cell.run_id:
            found = [*found, night.run_id] if night.setting == cell.setting else []
    return found[-NIGHTS:]
