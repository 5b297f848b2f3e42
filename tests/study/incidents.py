"""What a shared baseline does over thirty nights, with and without days that shift."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.verdicts.baselines import YOUNG_DAYS
from tasks.verdicts.drift import NO_DRIFT, Drift, concentration, night_shift
from tests.study.nights import Trials, draw, play
from tests.study.suites import NOISES, Rates, shifted, stopped
from tests.study.tables import Table, percent

NIGHTS, CELLS, N_CASES, BASE_TRIALS = 30, 20, 100, 5
SHIFT_PP = 0.75
MEAN_NOISE = 0.03
"""Mean p(1 − p) at 15 % flaky: what a shift in log-odds is multiplied with to become one of the mean."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Cells that share every night's shift in log-odds, the baseline's night first, and what their baselines drew."""

    rates: Sequence[Rates]
    baselines: Sequence[Trials]
    shifts: Sequence[float]


@dataclass(slots=True)
class CellOverNights:
    """One cell: its cases, its baseline, the trials of its nights, and whether an incident is open."""

    rates: Rates
    baseline: Trials
    nights: list[NDArray[np.int8]] = field(default_factory=list)
    is_open: bool = False
    incidents: int = 0
    alerts: int = 0


class Remedy(NamedTuple):
    """Whether the baseline takes in its first week, and whether earlier nights' shifts enter the threshold."""

    name: str
    young: bool = False
    learns: bool = False


REMEDIES = (
    Remedy("one night"),
    Remedy("first week", young=True),
    Remedy("first week, shifts in the threshold", young=True, learns=True),
)


def incidents(generator: np.random.Generator, models: int) -> Table:
    """The remedies beside each other, on the same models and nights."""
    rows = []
    for shift_pp in (0.0, SHIFT_PP):
        drawn = [draw_model(generator, shift_pp) for _ in range(models)]
        for remedy in REMEDIES:
            per_baseline, per_night, found = np.mean([live(generator, model, remedy) for model in drawn], axis=0)
            cells = [f"{per_baseline:.3f}", percent(float(per_night), 3), percent(float(found))]
            rows.append([f"{shift_pp:g} pp", remedy.name, *cells])
    return Table(
        title="Incidents per baseline over 30 nights",
        note=f"{models * CELLS} baselines a row, 100 cases, 15 % flaky, models of {CELLS} cells that share a night's "
        "shift. False alerts of one baseline cluster: its luck stays. Last: a drop of 8 pp on the night after.",
        header=["day shift (sd)", "baseline", "incidents", "alerts per cell-night", "8 pp found"],
        rows=rows,
    )


def draw_model(generator: np.random.Generator, shift_pp: float) -> Model:
    """Draw a model's cells, its nights' shifts and its baselines."""
    shifts = generator.normal(0, shift_pp / 100 / MEAN_NOISE, NIGHTS + 2).tolist()
    rates = [NOISES["15 % flaky"](generator, N_CASES) for _ in range(CELLS)]
    return Model(rates, [draw(generator, shifted(some, shifts[0]), BASE_TRIALS) for some in rates], shifts)


def live(generator: np.random.Generator, model: Model, remedy: Remedy) -> tuple[float, float, float]:
    """Incidents per baseline, the share of cell-nights that alert, and the share of 8 pp drops found at the end."""
    cells = [CellOverNights(*pair) for pair in zip(model.rates, model.baselines, strict=True)]
    weights = [BASE_TRIALS]
    for number, shift in enumerate(model.shifts[1:-1], 1):
        joins = remedy.young and number < YOUNG_DAYS
        drift = drift_of(cells, weights) if remedy.learns else NO_DRIFT
        for cell in cells:
            live_night(generator, cell, shift, drift, joins=joins)
        weights += [1] if joins else []
    drift = drift_of(cells, weights) if remedy.learns else NO_DRIFT
    found = 0
    for cell in cells:
        worse = shifted(stopped(generator, cell.rates, 8), model.shifts[-1])
        found += play(generator, cell.baseline, worse, drift=drift).decided.verdict == "regressed"
    alerts = sum(cell.alerts for cell in cells)
    return sum(cell.incidents for cell in cells) / CELLS, alerts / CELLS / NIGHTS, found / CELLS


def live_night(
    generator: np.random.Generator, cell: CellOverNights, shift: float, drift: Drift, *, joins: bool
) -> None:
    """Let a cell live through one night; an incident goes on until a night is called unchanged."""
    tonight = shifted(cell.rates, shift)
    planned = draw(generator, tonight, 1)
    verdict = play(generator, cell.baseline, tonight, drift=drift, planned=planned).decided.verdict
    cell.alerts += verdict == "regressed"
    cell.incidents += verdict == "regressed" and not cell.is_open
    cell.is_open = verdict == "regressed" or (cell.is_open and verdict != "unchanged")
    cell.nights.append(planned.passed.astype(np.int8))
    if joins:
        cell.baseline = cell.baseline.plus(planned)


def drift_of(cells: list[CellOverNights], weights: list[int]) -> Drift:
    """What is known of the nights' shifts."""
    if len(cells[0].nights) < 2:
        return NO_DRIFT
    shift = night_shift(np.array(cell.nights) for cell in cells)
    return Drift(shift.used, concentration(weights))
