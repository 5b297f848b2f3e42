"""Which trials make up a baseline: a calendar rule that looks at dates and versions, never at verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from tasks.verdicts.drift import concentration

YOUNG_DAYS = 7
"""A baseline takes in the nights of its first seven days, the pinned one included, and is fixed from then on.

It never slides: a slow decay is measured against the first week and not against last week.
"""


class Conditions(NamedTuple):
    """What must stay for trials to be of one behaviour; hashes as in `tasks.records.Cell`, None where unknown."""

    served_model: str | None
    params_hash: str
    prompt_hash: str
    dataset_hash: str
    scorers_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NightOfCell:
    """A measured night of a cell with `trials` planned or baseline trials per case; what confirmed is not counted."""

    run_id: str
    day: date
    trials: int
    conditions: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineNights:
    """The runs whose planned and baseline trials are compared with.

    `concentration` is what day shifts leave in their mean (1 for one night). A `provisional` baseline holds only the
    trials that prompted its promotion: tonight asks `gate.baseline_trials` per case, and from tomorrow those count.
    """

    run_ids: tuple[str, ...]
    concentration: float
    provisional: bool = False


def baseline_nights(
    pinned: NightOfCell, later: Sequence[NightOfCell], *, tonight: date, promoted_on: date | None = None
) -> BaselineNights:
    """Choose the nights of a baseline from the pinned one and those after it.

    A person who promotes a run has seen its result, so its trials are lucky ones; they stand in until a night after
    `promoted_on` was measured under the same conditions, and are then discarded. A baseline that pinned itself has no
    `promoted_on` and keeps its pinned trials as the anchor.
    """
    since = pinned.day if promoted_on is None else promoted_on
    after = [night for night in sorted(later, key=lambda night: night.day) if since < night.day < tonight]
    fresh = first_of_each_day(until_changed(after, pinned.conditions))
    if promoted_on is not None and not fresh:
        return BaselineNights(run_ids=(pinned.run_id,), concentration=1.0, provisional=True)
    anchor = pinned if promoted_on is None else fresh[0]
    end = anchor.day + timedelta(days=YOUNG_DAYS)
    young = [anchor, *(night for night in fresh if anchor.day < night.day < end)]
    return BaselineNights(
        run_ids=tuple(night.run_id for night in young), concentration=concentration([night.trials for night in young])
    )


def until_changed(nights: Sequence[NightOfCell], conditions: Conditions) -> list[NightOfCell]:
    """The nights before the first on which anything had changed, also where it was changed back later."""
    same = []
    for night in nights:
        if night.conditions != conditions:
            break
        same.append(night)
    return same


def first_of_each_day(nights: Sequence[NightOfCell]) -> list[NightOfCell]:
    """Leave out further runs of a day: somebody may have started them because of what the first one said."""
    first: dict[date, NightOfCell] = {}
    for night in nights:
        first.setdefault(night.day, night)
    return list(first.values())
