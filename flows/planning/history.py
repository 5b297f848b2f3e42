"""What earlier runs left for tonight: baselines by calendar, and how much nights differ where nothing changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from tasks.plan import Baseline, PlannedCell
from tasks.records import Pin, Suite
from tasks.storage.nights import RunsOfCell, StoredNight, first_outcomes, stored_nights
from tasks.storage.reads import models_of_runs, pins, run_count
from tasks.storage.warehouse import Warehouse
from tasks.verdicts.baselines import (
    NightOfCell,
    baseline_nights,
    first_of_each_day,
    reference_nights,
    since_last_change,
)
from tasks.verdicts.drift import concentration, night_shift

SHIFT_NIGHTS = 30
"""Of a cell, the latest nights from which day shifts are estimated."""

Key = tuple[str, str]
"""Suite and model."""


class History(NamedTuple):
    """What earlier runs left: pins and nights by (suite, model), models by (run, suite), and how many runs there were.

    Nights are in the order in which they began.
    """

    pins: Mapping[Key, Pin]
    nights: Mapping[Key, Sequence[StoredNight]]
    models_of_run: Mapping[tuple[str, str], Sequence[str]]
    runs: int


def read_history(results: Path) -> History:
    """What earlier runs left, if there were any, and if they were killed while they wrote it down."""
    Warehouse(results).catch_up()
    nights: dict[Key, list[StoredNight]] = {}
    for night in stored_nights(results):
        nights.setdefault((night.suite, night.model), []).append(night)
    pinned = {(pin.suite, pin.model): pin for pin in pins(results)}
    return History(pinned, nights, models_of_runs(results), run_count(results))


def pinned_baseline(history: History, key: Key, today: date) -> Baseline | None:
    """The baseline of a cell by its pin, with the nights that belong to it by now."""
    pin, nights = history.pins.get(key), history.nights.get(key, ())
    pinned = next((night for night in nights if pin and night.run_id == pin.run_id), None)
    if pin is None or pinned is None:
        return Baseline(run_id=pin.run_id, model=pin.model, nights=(pin.run_id,)) if pin else None
    promoted_at = pin.pinned_at if pin.pinned_by == "promoted" else None
    chosen = baseline_nights(as_night(pinned), regular(nights), tonight=today, promoted_at=promoted_at)
    return Baseline(
        run_id=pin.run_id,
        model=pin.model,
        nights=chosen.run_ids,
        setting=pinned.setting,
        known_models=tuple(sorted({served for night in nights for served in night.setting.served_models})),
        concentration=chosen.concentration,
        provisional=chosen.provisional,
    )


def baseline_of_run(history: History, suite: str, model: str, run_id: str) -> Baseline:
    """The trials of one run that somebody named."""
    night = next((one for one in history.nights.get((suite, model), ()) if one.run_id == run_id), None)
    return Baseline(
        run_id=run_id,
        model=model,
        nights=(run_id,),
        setting=night.setting if night else None,
        known_models=night.setting.served_models if night else (),
    )


def reference_beside(history: History, suite: Suite, model: str, params_hash: str) -> Baseline:
    """Another model in the same run, with its stored nights for as long as it was the same as it is planned tonight.

    One trial of each case does not tell how much the cases vary, so nothing could be concluded from it.
    """
    nights = reference_nights(regular(history.nights.get((suite.name, model), ())))
    setting = nights[0].setting if nights else None
    tonight = (params_hash, suite.prompt_hash, suite.dataset_hash, suite.scorers_hash)
    if setting is None or setting[2:] != tonight:
        return Baseline(run_id=None, model=model)
    return Baseline(
        run_id=None,
        model=model,
        nights=tuple(night.run_id for night in nights),
        setting=setting,
        concentration=concentration([*(night.trials for night in nights), suite.config.trials]),
    )


def regular(nights: Iterable[StoredNight]) -> list[NightOfCell]:
    """The nights that came by the calendar, and were measured; what a person started may have had a reason."""
    return [as_night(night) for night in nights if night.flow == "nightly" and night.covered]


def as_night(night: StoredNight) -> NightOfCell:
    """A night as the calendar rule takes it."""
    return NightOfCell(run_id=night.run_id, started_at=night.started_at, trials=night.trials, setting=night.setting)


def with_day_shifts(results: Path, cells: Iterable[PlannedCell], history: History) -> tuple[PlannedCell, ...]:
    """Let every baseline know how much nights of its cell's model, and of its own, were seen to differ."""
    variances: dict[str, float] = {}
    with Warehouse(results).kept_open():
        return tuple(with_day_shift(results, cell, history, variances) for cell in cells)


def with_day_shift(results: Path, cell: PlannedCell, history: History, variances: dict[str, float]) -> PlannedCell:
    """One cell; `variances` keeps what was found of its models for the next."""
    if cell.baseline is None:
        return cell
    models = {cell.model, cell.baseline.model}
    for model in models - set(variances):
        variances[model] = variance_of_nights(results, history, model)
    return replace(cell, baseline=replace(cell.baseline, variance=max(variances[model] for model in models)))


def variance_of_nights(results: Path, history: History, model: str) -> float:
    """The variance of the shifts that all suites of a model share from night to night, in squared log-odds."""
    cells = [
        RunsOfCell(*key, run_ids)
        for key, nights in history.nights.items()
        if key[1] == model and len(run_ids := comparable_runs(nights)) > 1
    ]
    return night_shift(first_outcomes(results, cells)).used if cells else 0.0


def comparable_runs(nights: Sequence[StoredNight]) -> list[str]:
    """The latest nights of a cell between which nothing is known to have changed, one a day.

    Those that moved are left out: a regression is no day shift, and would hide itself.
    """
    moved = {night.run_id for night in nights if night.moved}
    same = first_of_each_day(since_last_change(regular(nights)))
    return [night.run_id for night in same if night.run_id not in moved][-SHIFT_NIGHTS:]
