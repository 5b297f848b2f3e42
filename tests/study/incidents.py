"""What a shared baseline does over thirty nights, with and without days that shift."""

from dataclasses import dataclass, field

import numpy as np

from tasks.verdicts.baselines import YOUNG_DAYS
from tasks.verdicts.drift import NO_DRIFT, Drift, concentration, night_shift
from tests.study.nights import Trials, draw, play
from tests.study.suites import NOISES, Rates, shifted, stopped
from tests.study.tables import Table, percent

NIGHTS, CELLS, N_CASES = 30, 20, 100
SHIFT_PP = 0.75
MEAN_NOISE = 0.03
"""Mean p(1 − p) at 15 % flaky: what a shift in log-odds is multiplied with to become one of the mean."""


@dataclass(slots=True)
class CellOverNights:
    """One cell: its cases, its baseline, the trials of its nights, and whether an incident is open."""

    rates: Rates
    baseline: Trials
    nights: list[np.ndarray] = field(default_factory=list)
    is_open: bool = False
    incidents: int = 0
    alerts: int = 0


def thirty_nights(generator: np.random.Generator, *, shift_pp: float, young: bool, learns: bool) -> tuple[float, ...]:
    """Incidents per baseline, alerting share of cell-nights, and the share of 8 pp drops found on the night after.

    All cells of a model share a night's shift. `young` spreads the baseline over its first week, `learns` lets earlier
    nights of all cells enter the threshold.
    """
    sd = shift_pp / 100 / MEAN_NOISE
    first = generator.normal(0, sd)
    cells = []
    for _ in range(CELLS):
        rates = NOISES["15 % flaky"](generator, N_CASES)
        cells.append(CellOverNights(rates, draw(generator, shifted(rates, first), 5)))
    weights = [5]
    drift = NO_DRIFT
    for number in range(1, NIGHTS + 1):
        drift = drift_of(cells, weights) if learns else NO_DRIFT
        shift = generator.normal(0, sd)
        for cell in cells:
            live_night(generator, cell, shift, drift, joins=young and number < YOUNG_DAYS)
        if young and number < YOUNG_DAYS:
            weights.append(1)
    shift = generator.normal(0, sd)
    found = sum(
        play(generator, cell.baseline, shifted(stopped(generator, cell.rates, 8), shift), drift=drift).decided.verdict
        == "regressed"
        for cell in cells
    )
    incidents, alerts = sum(cell.incidents for cell in cells), sum(cell.alerts for cell in cells)
    return incidents / CELLS, alerts / CELLS / NIGHTS, found / CELLS


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


def incidents(generator: np.random.Generator, models: int) -> Table:
    """The remedies beside each other."""
    rows = []
    for shift_pp in (0.0, SHIFT_PP):
        for name, young, learns in (
            ("one night", False, False),
            ("first week", True, False),
            ("first week, shifts in the threshold", True, True),
        ):
            played = [thirty_nights(generator, shift_pp=shift_pp, young=young, learns=learns) for _ in range(models)]
            per_baseline, per_night, found = np.mean(played, axis=0)
            rows.append([f"{shift_pp:g} pp", name, f"{per_baseline:.3f}", percent(per_night, 3), percent(found)])
    return Table(
        title="Incidents per baseline over 30 nights",
        note=f"{models * CELLS} baselines a row, 100 cases, 15 % flaky, models of {CELLS} cells that share a night's "
        "shift. False alerts of one baseline cluster: its luck stays. Last: a drop of 8 pp on the night after.",
        header=["day shift (sd)", "baseline", "incidents", "alerts per cell-night", "8 pp found"],
        rows=rows,
    )
